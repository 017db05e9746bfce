import { compareUtf8 } from "../../util/ordering.ts";
import type { EtcEntry } from "../manifest.ts";

/** What is at a path below /etc, links not followed. */
export type EtcNode = { readonly kind: "missing" } | { readonly kind: "folder" } | { readonly kind: "file" } | { readonly kind: "link"; readonly target: string };

export type EtcSnapshot = {
  /** `target` is relative to /etc. */
  find(target: string): EtcNode;
  /** Every link below /etc that leads into /etc/static, relative to /etc. */
  readonly ownLinks: readonly string[];
};

/** Copies made by earlier activations, by target; kept in the machine's state. */
export type OwnedCopies = Readonly<Record<string, string>>;

export type EtcOperation =
  /** Removes a link or a copy that is tsos's own and stands where a folder must be. */
  | { readonly kind: "clear"; readonly target: string }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "copy"; readonly target: string; readonly source: string; readonly mode: string; readonly user: string; readonly group: string };

export type EtcPlan = {
  /** Done before /etc/static changes, in this order. */
  readonly operations: readonly EtcOperation[];
  /** Own links and copies that nothing declares any more; removed after /etc/static changed. */
  readonly stale: readonly string[];
  /** Declared, but a file that tsos does not own is there; left alone. */
  readonly conflicts: readonly string[];
  readonly copies: OwnedCopies;
};

export const STATIC_LINK_TARGET = "/etc/static/";

/** What to do to /etc so that it holds `entries`; pure. */
export function planEtc(entries: readonly EtcEntry[], snapshot: EtcSnapshot, owned: OwnedCopies): EtcPlan {
  const operations: EtcOperation[] = [];
  const conflicts: string[] = [];
  const copies: Record<string, string> = {};
  const declared = new Set(entries.map((entry) => entry.target));
  const cleared = new Set<string>();
  const isOwn = (target: string, node: EtcNode): boolean =>
    node.kind === "link" ? node.target === STATIC_LINK_TARGET + target : node.kind === "file" && Object.hasOwn(owned, target);

  for (const entry of [...entries].sort((a, b) => compareUtf8(a.target, b.target))) {
    const { target } = entry;
    let blocked: string | undefined;
    let isBelowCleared = false;
    for (const parent of parentsOf(target)) {
      if (cleared.has(parent)) {
        isBelowCleared = true;
        break;
      }
      const node = snapshot.find(parent);
      if (node.kind === "folder") continue;
      if (node.kind === "missing") break;
      if (!isOwn(parent, node)) {
        blocked = parent;
        break;
      }
      operations.push({ kind: "clear", target: parent });
      cleared.add(parent);
      isBelowCleared = true;
      break;
    }
    if (blocked !== undefined) {
      conflicts.push(target);
      continue;
    }
    const node: EtcNode = isBelowCleared ? { kind: "missing" } : snapshot.find(target);
    if (node.kind !== "missing" && !isOwn(target, node)) {
      // A folder of tsos's own links, now one link to a whole folder: its links are stale and it goes if it is empty.
      const onlyOwn = node.kind === "folder" && snapshot.ownLinks.some((link) => link.startsWith(`${target}/`));
      if (!onlyOwn) {
        conflicts.push(target);
        continue;
      }
      for (const link of snapshot.ownLinks) {
        if (link.startsWith(`${target}/`)) operations.push({ kind: "clear", target: link });
      }
      operations.push({ kind: "clear", target });
    }
    if (entry.kind === "link") {
      if (node.kind !== "link") operations.push({ kind: "link", target });
    } else {
      copies[target] = entry.source;
      operations.push({ kind: "copy", target, source: entry.source, mode: entry.mode, user: entry.user, group: entry.group });
    }
  }

  const stale = new Set<string>();
  for (const link of snapshot.ownLinks) {
    const node = snapshot.find(link);
    if (!declared.has(link) && isOwn(link, node) && !cleared.has(link)) stale.add(link);
  }
  for (const target of Object.keys(owned)) {
    if (!declared.has(target) && snapshot.find(target).kind === "file") stale.add(target);
  }
  for (const operation of operations) if (operation.kind === "clear") stale.delete(operation.target);
  return { operations, stale: [...stale].sort(compareUtf8), conflicts: conflicts.sort(compareUtf8), copies };
}

/** `a/b/c` → `a`, `a/b`. */
function parentsOf(target: string): readonly string[] {
  const parts = target.split("/");
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
