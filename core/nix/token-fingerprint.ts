import { hashToBase16 } from "../hash/hash.ts";
import type { ByteString } from "../util/bytes.ts";
import { tokenize } from "./lexer.ts";

/**
 * What tells the tokens of a text from any others, wherever they stand: texts that differ in comments and layout alone
 * have the same. The parser is told nothing else of a text, so that these come to the same tree, but for its places and for
 * warnings that show the text.
 */
export function fingerprintTokens(text: ByteString): string {
  const { count, kinds, starts, ends } = tokenize(text, true);
  const pieces: string[] = [];
  for (let i = 0; i < count; i++) {
    const token = text.slice(starts[i], ends[i]);
    // With its length, so that no two lists of tokens are written alike.
    pieces.push(`${kinds[i]} ${token.length} ${token}`);
  }
  return hashToBase16("sha256", pieces.join(""));
}
