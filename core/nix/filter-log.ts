import { byteStringToBytes, decodeUtf8Lossy, type ByteString } from "../util/bytes.ts";

/** Control sequences of a terminal: `ESC [ …`, `ESC ] …` up to BEL or ESC, and those of one letter. */
const ESCAPE = /\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?|\][^\x1b\x07]*(?:\x1b\\?|\x07)?|[\x40-\x5a\x5c\x5e\x5f])?/y;

/** What takes two columns. */
const WIDE = /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

/**
 * A message as it goes to a log that is no terminal: without control sequences, carriage returns and bells, with tabs as
 * spaces. Columns are counted from the start of the message, not of the line. Nix: libutil/terminal.cc
 */
export function filterLog(text: ByteString): ByteString {
  if (!/[\x1b\t\r\x07]/.test(text)) return text;
  let out = "";
  let width = 0;
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (c === "\x1b") {
      ESCAPE.lastIndex = at;
      ESCAPE.test(text);
      at = Math.max(ESCAPE.lastIndex, at + 1);
      continue;
    }
    if (c === "\t") {
      const spaces = 8 - (width % 8);
      out += " ".repeat(spaces);
      width += spaces;
      at++;
      continue;
    }
    if (c === "\r" || c === "\x07") {
      at++;
      continue;
    }
    const size = c < "\xc0" ? 1 : c < "\xe0" ? 2 : c < "\xf0" ? 3 : 4;
    const character = text.slice(at, at + size);
    out += character;
    at += size;
    if (size === 1) width += c >= " " && c !== "\x7f" ? 1 : 0;
    else {
      const shown = decodeUtf8Lossy(byteStringToBytes(character));
      width += WIDE.test(shown) ? 2 : /^\p{M}/u.test(shown) ? 0 : 1;
    }
  }
  return out;
}
