import type { ByteString } from "../util/bytes.ts";

/** What a flake's output is wanted for. */
export type FlakePurpose = "build" | "shell" | "run";

/** What a command line says of a flake's lock file. */
export type FlakeFlags = {
  /** `--override-input`: path of an input and reference. */
  readonly overrides: readonly (readonly [path: ByteString, ref: ByteString])[];
  /** `--update-input` */
  readonly updates: readonly ByteString[];
  /** `--recreate-lock-file` */
  readonly ignoreLock: boolean;
  /** False: `--no-update-lock-file`. */
  readonly mayUpdate: boolean;
  readonly referenceLock: ByteString | undefined;
  readonly outputLock: ByteString | undefined;
  /** `--commit-lock-file`: the first line of the commit, "" for the usual one; undefined: none is made. */
  readonly commit?: ByteString | undefined;
};
