import type { NixFileKind } from "../nix/nix-io.ts";
import type { ByteString } from "../util/bytes.ts";

/**
 * The files of sources that an evaluation may see, by their paths in the store. Whoever has the machine gives it; it is
 * asked for paths below sources that were announced to it only.
 */
export type SourceFiles = {
  /** Without following a symbolic link at its end; undefined where there is nothing. */
  kind(path: ByteString): NixFileKind | undefined;
  read(path: ByteString): ByteString;
  list(path: ByteString): ReadonlyMap<ByteString, NixFileKind>;
  link(path: ByteString): ByteString;
  /**
   * The hash (`sha256:` and base-16) of a file or tree as it goes into the store, without the paths in `excluded`, and
   * where it really is.
   */
  hash(path: ByteString, method: "nar" | "flat", excluded: readonly ByteString[]): { readonly hash: string; readonly file: string; readonly excluded: readonly string[] };
};
