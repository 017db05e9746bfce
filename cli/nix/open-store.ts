import { TsosError } from "../../core/error/tsos-error.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { openStoreChoice } from "../open-store-choice.ts";
import type { StoreChoice } from "../store-url.ts";

/** What the store `dummy://` has no files for. */
export function refuseDummy(operation: string): TsosError {
  return new TsosError({ code: "nix.dummy-store", message: `operation '${operation}' is not supported by store 'dummy://'`, data: { operation } });
}

/** A store that is opened at the first call and closed when the command ends. */
export type LazyStore = AsyncDisposable & { readonly open: () => Promise<LocalStore> };

/** `settings`: whether equal files of what is added are shared. */
export function openNixStore(choice: StoreChoice, settings?: NixConfiguration): LazyStore {
  const options = { ...choice, autoOptimise: settings?.bool("auto-optimise-store", false) };
  let opened: Promise<LocalStore> | undefined;
  return {
    open: () => (opened ??= options.isDummy === true ? Promise.reject(refuseDummy("queryPathInfo")) : openStoreChoice(options)),
    async [Symbol.asyncDispose]() {
      await opened?.then((store) => store[Symbol.asyncDispose]()).catch(() => undefined);
    },
  };
}
