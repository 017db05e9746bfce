import type { Derivation } from "../derivation/derivation.ts";
import type { FetchSettings } from "../fetch/fetch-settings.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { Tool } from "./tool.ts";

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
  /**
   * Where an input, or a file below one (`/nix/store/…/bin/x`), lies on disk. Links on the way are followed as long as
   * they stay in the inputs' closure; the last name is not.
   *
   * @throws TsosError `build.not-an-input` for anything else: a builtin builder runs with all that tsos may
   */
  realPath(path: StorePath | string): string;
  /** The same with the last name followed too: what may be opened. */
  resolvedPath(path: StorePath | string): string;
  /** For a program of the inputs that the builder has to run: never outside of a sandbox. */
  bubblewrap(): Promise<Tool>;
  /** Whether a `file:` URL of the derivation may name any file that tsos can read; default true. */
  readonly localFiles?: boolean | undefined;
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
