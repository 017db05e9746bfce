import type { LocalStore } from "../core/store/store.ts";
import type { ProgressListener } from "../core/util/progress.ts";
import type { StoreChoice } from "./store-url.ts";

/** Opens the store itself, or its daemon's socket. */
export async function openStoreChoice({ daemon, isDummy: _, ...options }: StoreChoice, report?: ProgressListener): Promise<LocalStore> {
  if (daemon === undefined) return (await import("../core/store/local-store.ts")).openLocalStore(options);
  return (await import("../core/daemon/client/open-daemon-store.ts")).openDaemonStore({ ...options, socket: daemon, report });
}
