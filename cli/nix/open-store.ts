import type { LocalStore, LocalStoreOptions } from "../../core/store/store.ts";

/** A store that is opened at the first call and closed when the command ends. */
export type LazyStore = AsyncDisposable & { readonly open: () => Promise<LocalStore> };

export function openNixStore(options: LocalStoreOptions): LazyStore {
  let opened: Promise<LocalStore> | undefined;
  return {
    open: () => (opened ??= import("../../core/store/local-store.ts").then(({ openLocalStore }) => openLocalStore(options))),
    async [Symbol.asyncDispose]() {
      await opened?.then((store) => store[Symbol.asyncDispose]()).catch(() => undefined);
    },
  };
}
