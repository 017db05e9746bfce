import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { ClassicUsageError, type ClassicOptions } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";

/** What an operation of `nix-store` works with. */
export type StoreCall = {
  readonly environment: NixEnvironment;
  readonly options: ClassicOptions;
  readonly store: LocalStore;
  readonly flags: readonly string[];
  readonly args: readonly string[];
  readonly root: string | undefined;
  readonly noOutput: boolean;
  readonly print: (line: string) => void;
};

/** A path in full, as it is printed. */
export function show({ store }: Pick<StoreCall, "store">, path: StorePath): string {
  return formatStorePath(path, store.storeDir);
}

/** @throws ClassicUsageError for any flag but these */
export function allowFlags({ flags }: StoreCall, ...allowed: readonly string[]): void {
  const unknown = flags.find((flag) => !allowed.includes(flag));
  if (unknown !== undefined) throw new ClassicUsageError(`unknown flag '${unknown}'`);
}

/** @throws ClassicUsageError where there are words */
export function allowNoWords({ args }: StoreCall): void {
  if (args.length > 0) throw new ClassicUsageError("no arguments expected");
}
