import { encodeNarTokens, NAR_MAGIC } from "./nar-token.ts";

/** The runs of fixed tokens that an archive is made of. */
export const NAR_BLOCKS = {
  start: encodeNarTokens(NAR_MAGIC),
  regular: encodeNarTokens("(", "type", "regular", "contents"),
  executable: encodeNarTokens("(", "type", "regular", "executable", "", "contents"),
  symlink: encodeNarTokens("(", "type", "symlink", "target"),
  directory: encodeNarTokens("(", "type", "directory"),
  entry: encodeNarTokens("entry", "(", "name"),
  node: encodeNarTokens("node"),
  close: encodeNarTokens(")"),
} as const;
