import { resolve } from "node:path";
import type { LocalStore } from "../core/store/store.ts";
import type { StorePath } from "../core/store-path/store-path.ts";

/** What a target of `tsos build` gave: an output of a derivation, or a path that is as it is. */
export type BuiltTarget = { readonly drvPath?: StorePath; readonly output?: string; readonly path: StorePath };

/**
 * Links to what was built, and keeps it: `result`, `result-dev` for another output, `result-1` for the next derivation.
 *
 * @param from what the number of the second one is: 1 as `nix build` counts, 2 as `nix-build` does
 */
export async function linkTargets(store: LocalStore, built: readonly BuiltTarget[], outLink: string, from: 1 | 2): Promise<void> {
  const numbers = new Map<StorePath, number>();
  for (const { drvPath, output, path } of built) {
    const key = drvPath ?? path;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    await store.addPermanentRoot(path, resolve(`${outLink}${number === 0 ? "" : `-${number + from - 1}`}${output === undefined || output === "out" ? "" : `-${output}`}`));
  }
}
