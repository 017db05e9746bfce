import type { LocalStore } from "../../core/store/store.ts";
import { openStoreChoice } from "../open-store-choice.ts";
import type { StoreChoice } from "../store-url.ts";

/** A store that is opened at the first call and closed when the command ends. */
export type LazyStore = AsyncDisposable & { readonly open: () => Promise<LocalStore> };

export function openNixStore(options: StoreChoice): LazyStore {
  let opened: Promise<LocalStore> | undefined;
  return {
    open: () => (opened ??= openStoreChoice(options)),
    async [Symbol.asyncDispose]() {
      await opened?.then((store) => store[Symbol.asyncDispose]()).catch(() => undefined);
    },
  };
}
