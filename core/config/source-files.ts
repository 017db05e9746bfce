import type { NixFileKind } from "../nix/nix-io.ts";
import type { CompiledFiles } from "../nix/parsed-files.ts";
import type { ByteString } from "../util/bytes.ts";

/**
 * The files of sources that a Nix expression of a configuration may see, by their paths in the store. Whoever has the
 * machine gives it; it is asked for paths below sources that it knows only.
 */
export type SourceFiles = {
  /** Without following a symbolic link at its end; undefined where there is nothing. */
  kind(path: ByteString): NixFileKind | undefined;
  read(path: ByteString): ByteString;
  list(path: ByteString): ReadonlyMap<ByteString, NixFileKind>;
  link(path: ByteString): ByteString;
  /** Where files are parsed beside the evaluation. */
  readonly compiled?: CompiledFiles | undefined;
  /** What a file or tree is as it goes into the store, without the paths in `excluded`. */
  hash(path: ByteString, method: "nar" | "flat", excluded: readonly ByteString[]): SourceHash;
};

export type SourceHash = {
  /** `sha256:` and base-16. */
  readonly hash: string;
  /** Where it really is: relative to `input`, or absolute without one. */
  readonly file: string;
  readonly input?: string | undefined;
  /** As `file` is. */
  readonly excluded: readonly string[];
};

/** What the isolate asks of a source that is an input, of which the host knows where it is. Paths are relative to it. */
export type SourceCall = {
  readonly op: "source";
  /** Undefined: the project itself. */
  readonly input?: string | undefined;
  readonly path: ByteString;
  readonly ask: "kind" | "read" | "list" | "link" | "hash";
  readonly method?: "nar" | "flat";
  readonly excluded?: readonly ByteString[];
};

/** Answers are texts; what begins with this is a file's contents as they are, all else JSON. */
export const RAW_ANSWER = "=";
