import { StringDecoder } from "node:string_decoder";

export type LineSplitter = {
  write(chunk: Uint8Array): void;
  /** Hands over an unfinished last line. */
  end(): void;
};

/** A line longer than this is handed over in parts, so that a builder cannot fill the memory. */
const MAX_LINE = 1 << 16;

/**
 * Cuts a stream of bytes into lines for people: UTF-8 with U+FFFD for what is not, of a line that was
 * overwritten by carriage returns what stands there at the end.
 */
export function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const emit = (line: string): void => {
    onLine(line.includes("\r") ? line.split("\r").reduce((before, over) => over + before.slice(over.length)) : line);
  };
  return {
    write(chunk) {
      const text = rest + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        emit(text.slice(start, end));
        start = end + 1;
      }
      rest = text.slice(start);
      if (rest.length > MAX_LINE) {
        emit(rest);
        rest = "";
      }
    },
    end() {
      rest += decoder.end();
      if (rest !== "") emit(rest);
      rest = "";
    },
  };
}
