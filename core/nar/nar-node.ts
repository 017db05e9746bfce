import type { ByteString } from "../util/bytes.ts";

/** A file tree as an archive holds it, in memory: for small trees that are made rather than read. */
export type NarNode =
  | { readonly kind: "regular"; readonly executable: boolean; readonly contents: Uint8Array }
  | { readonly kind: "symlink"; readonly target: ByteString }
  | { readonly kind: "directory"; readonly entries: ReadonlyMap<ByteString, NarNode> };
