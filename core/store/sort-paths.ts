import type { StorePath } from "../store-path/store-path.ts";

/** The keys so that each comes before those it refers to. References among valid paths have no cycles but to oneself. */
export function sortUsersFirst(references: ReadonlyMap<StorePath, readonly StorePath[]>): StorePath[] {
  const sorted: StorePath[] = [];
  const entered = new Set<StorePath>();
  for (const start of references.keys()) {
    if (entered.has(start)) continue;
    entered.add(start);
    const stack = [{ path: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const reference = references.get(top.path)?.[top.next++];
      if (reference === undefined) {
        sorted.push(top.path);
        stack.pop();
      } else if (references.has(reference) && !entered.has(reference)) {
        entered.add(reference);
        stack.push({ path: reference, next: 0 });
      }
    }
  }
  return sorted.reverse();
}
