import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { Decompress } from "fzstd";
import { extract } from "tar-stream";

export type ArchiveFile = { readonly path: string; readonly bytes: Uint8Array };

/** The regular files of a `.tar.zst`, each whole: they are small ones. */
export async function* readArchive(file: string): AsyncGenerator<ArchiveFile> {
  const entries = extract();
  const tar = Readable.from(decompress(file));
  tar.on("error", (error) => entries.destroy(error));
  tar.pipe(entries);
  for await (const entry of entries) {
    const parts: Uint8Array[] = [];
    for await (const part of entry) parts.push(part as Uint8Array);
    if (entry.header.type === "file") yield { path: entry.header.name.replace(/^\.\//, ""), bytes: Buffer.concat(parts) };
  }
}

/** The `.drv` files, by their base name. */
export async function readDrvArchive(file: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { path, bytes } of readArchive(file)) if (path.endsWith(".drv")) files.set(basename(path), bytes);
  return files;
}

async function* decompress(file: string): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let ended = false;
  const stream = new Decompress((part, final) => {
    parts.push(part);
    ended ||= final === true;
  });
  for await (const chunk of createReadStream(file)) {
    stream.push(chunk as Uint8Array);
    yield* parts;
    parts = [];
  }
  if (!ended) stream.push(new Uint8Array(0), true);
  yield* parts;
}
