import type { Derivation } from "../derivation/derivation.ts";
import type { FetchSettings } from "../fetch/fetch-settings.ts";
import type { StorePath } from "../store-path/store-path.ts";

/** What a builtin builder is given: everything it may read, write, report or wait for. */
export type BuiltinBuildContext = {
  readonly derivation: Derivation;
  readonly derivationPath: StorePath;
  /** What follows `builtin:`. */
  readonly name: string;
  /** The derivation's environment as text (its byte strings decoded as UTF-8). */
  readonly env: ReadonlyMap<string, string>;
  /** Output name to the place on disk to create: nothing is there yet, its folder is. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Where a store path, or a file below one (`/nix/store/…/bin/x`), lies on disk. */
  realPath(path: StorePath | string): string;
  /** An empty folder of this build alone, on the file system of the store; removed afterwards. */
  readonly temporaryFolder: string;
  readonly settings: FetchSettings;
  readonly signal: AbortSignal;
  /** Bytes (or items) done so far. */
  progress(done: number, total?: number): void;
  /** A line for the build's log, without its newline. */
  log(line: string): void;
};

/**
 * A builder that runs inside tsos: a derivation names it with `builder = "builtin:NAME"`. It creates each of
 * `outputs` and returns, or throws; scanning, canonical metadata, hashing and registration are the caller's.
 */
export type BuiltinBuilder = (context: BuiltinBuildContext) => Promise<void>;
