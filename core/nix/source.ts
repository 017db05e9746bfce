import { toByteString, type ByteString } from "../util/bytes.ts";
import type { NixPosition } from "./nix-error.ts";

/** Where `derivation` itself is written. */
export const DERIVATION_FILE = toByteString("«nix-internal»/derivation-internal.nix");

/** The path by which values and XML name a file; texts that are no files have none. */
export function filePath(file: ByteString): ByteString | undefined {
  return file === DERIVATION_FILE ? "/derivation-internal.nix" : file.startsWith("/") ? file : undefined;
}

/** A text with its name; where its lines start is found when a position is asked for. */
export type NixSource = { readonly file: ByteString; readonly text: ByteString; lines: Int32Array | undefined };

/** A source whose text is wanted only where a message shows it. */
export function createLazySource(file: ByteString, read: () => ByteString): NixSource {
  let known: ByteString | undefined;
  return {
    file,
    get text() {
      return (known ??= read());
    },
    lines: undefined,
  };
}

export function createSource(file: ByteString, text: ByteString): NixSource {
  return { file, text, lines: undefined };
}

/** Line and column of a byte. Lines end with LF, CR LF or CR, as the reference counts them. */
export function positionAt(source: NixSource, offset: number): NixPosition {
  source.lines ??= lineStarts(source.text);
  let low = 0;
  let high = source.lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (source.lines[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { file: source.file, line: low + 1, column: offset - source.lines[low]! + 1, source: source.text };
}

function lineStarts(text: ByteString): Int32Array {
  const starts = [0];
  const pattern = /\r\n|\n|\r/g;
  while (pattern.exec(text) !== null) starts.push(pattern.lastIndex);
  return Int32Array.from(starts);
}
