import { Writable } from "node:stream";
import { writeNar } from "../../nar/write-nar.ts";
import type { NewPathInfo } from "../../store/path-info.ts";
import { writePathInfo } from "../wire/path-info-codec.ts";
import { WireWriter } from "../wire/wire-writer.ts";

export type PackedText = { readonly info: NewPathInfo; readonly contents: Uint8Array };

/** Many files for `AddMultipleToStore`: their number, then of each what is said of it and its archive. */
export async function* packTexts(texts: readonly PackedText[], storeDir: string): AsyncGenerator<Uint8Array> {
  yield pack((writer) => void writer.number(texts.length));
  for (const { info, contents } of texts) {
    yield pack((writer) => {
      writePathInfo(writer, info, storeDir);
      for (const part of writeNar({ kind: "regular", executable: false, contents })) writer.raw(part);
    });
  }
}

function pack(write: (writer: WireWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new WireWriter(new Writable({ write: (chunk: Uint8Array, _encoding, done) => (parts.push(chunk), done()) }));
  write(writer);
  writer.push();
  return Buffer.concat(parts);
}
