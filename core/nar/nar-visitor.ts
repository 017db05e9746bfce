import type { ByteString } from "../util/bytes.ts";

/**
 * What a reader tells of an archive, in its order: a directory before what is in it, entries by bytes. Paths
 * are relative to the archive's root: `""`, `bin`, `bin/sh`. All is synchronous, so that reading costs no
 * promise a file.
 */
export type NarVisitor = {
  directory?(path: ByteString): void;
  endDirectory?(path: ByteString): void;
  symlink?(path: ByteString, target: ByteString): void;
  /** `offset` is where the contents begin in the archive. */
  regular?(path: ByteString, executable: boolean, size: number, offset: number): void;
  /** A part of the last regular file's contents. The bytes are only lent, until the call returns. */
  contents?(bytes: Uint8Array): void;
  endRegular?(path: ByteString): void;
};
