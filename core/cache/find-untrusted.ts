import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { isTrusted, type Trust } from "./trust.ts";

/**
 * The valid paths that were neither made here nor are named by their contents, and that no trusted key signed. What is
 * registered of a path must be what was signed: a changed hash or reference shows as well.
 */
export async function findUntrusted(store: LocalStore, { publicKeys }: Pick<Trust, "publicKeys">, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<StorePath[]> {
  const found: StorePath[] = [];
  for (const path of await store.queryAllValidPaths()) {
    signal?.throwIfAborted();
    const info = await store.findPathInfo(path);
    // One that another collected meanwhile is no problem.
    if (info === undefined || info.ultimate || isTrusted(info, { publicKeys, requireSignatures: true }, store.storeDir)) continue;
    found.push(path);
  }
  return found;
}
