import { hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { CompiledFile, StringTable } from "../nix/compile.ts";
import type { ByteString } from "../util/bytes.ts";

/**
 * Many compiled files in one: a header, an index, a table of all their strings, then each one's words.
 *
 *     magic        8 bytes
 *     entries      u32     strings  u32     string bytes  u32     0  u32
 *     checksum     32 bytes: SHA-256 of the rest of the head, which is index and strings
 *     index        entries × (key 32 bytes, offset u32, code words u32, relocations u32, order u32, checksum 16 bytes)
 *     string ends  strings × u32
 *     string bytes
 *     words        each entry: code, relocations, order; strings are indices into the table
 *
 * Words have the machine's own order: a pack does not leave it. Every part has a checksum, so that a damaged pack is
 * one that has less in it.
 */
const MAGIC = Buffer.from("tsosnix2", "latin1");
const HEAD = 56;
const ENTRY = 64;

/** A table as its bytes: text `n` ends at byte `ends[n]`, where the next one begins. */
export type PackedStrings = StringTable & { readonly ends: Uint32Array; readonly bytes: Buffer };

type Entry = { readonly offset: number; readonly code: number; readonly relocations: number; readonly order: number; readonly checksum: string };

export class ParsedPack implements Disposable {
  readonly path: string;
  readonly size: number;
  readonly strings: PackedStrings;
  readonly #fd: number;
  readonly #entries: Map<string, Entry>;

  private constructor(path: string, fd: number, size: number, strings: PackedStrings, entries: Map<string, Entry>) {
    this.path = path;
    this.size = size;
    this.strings = strings;
    this.#fd = fd;
    this.#entries = entries;
  }

  /** Undefined for what is not there (any more), or is no whole pack. */
  static open(path: string): ParsedPack | undefined {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch {
      return undefined;
    }
    const pack = ParsedPack.#read(path, fd);
    if (pack === undefined) closeSync(fd);
    return pack;
  }

  static #read(path: string, fd: number): ParsedPack | undefined {
    const { size } = fstatSync(fd);
    const head = Buffer.allocUnsafe(HEAD);
    if (size < HEAD || readSync(fd, head, 0, HEAD, 0) !== HEAD || !head.subarray(0, 8).equals(MAGIC)) return undefined;
    const entryCount = head.readUInt32LE(8);
    const stringCount = head.readUInt32LE(12);
    const stringBytes = head.readUInt32LE(16);
    const length = entryCount * ENTRY + stringCount * 4 + stringBytes;
    if (HEAD + length > size) return undefined;
    const rest = Buffer.allocUnsafe(length);
    if (readSync(fd, rest, 0, length, HEAD) !== length) return undefined;
    if (!hash("sha256", rest, "buffer").equals(head.subarray(24))) return undefined;
    const entries = new Map<string, Entry>();
    for (let at = 0; at < entryCount * ENTRY; at += ENTRY) {
      entries.set(rest.toString("latin1", at, at + 32), {
        offset: rest.readUInt32LE(at + 32),
        code: rest.readUInt32LE(at + 36),
        relocations: rest.readUInt32LE(at + 40),
        order: rest.readUInt32LE(at + 44),
        checksum: rest.toString("latin1", at + 48, at + 64),
      });
    }
    const ends = new Uint32Array(stringCount);
    new Uint8Array(ends.buffer).set(rest.subarray(entryCount * ENTRY, entryCount * ENTRY + stringCount * 4));
    const bytes = rest.subarray(entryCount * ENTRY + stringCount * 4);
    const strings: PackedStrings = { length: stringCount, at: (index) => bytes.toString("latin1", index === 0 ? 0 : ends[index - 1]!, ends[index]!), ends, bytes };
    return new ParsedPack(path, fd, size, strings, entries);
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  /** `key`: 32 bytes, one a character. */
  find(key: string): CompiledFile | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const words = new Int32Array(entry.code + entry.relocations + entry.order);
    const bytes = Buffer.from(words.buffer);
    if (readSync(this.#fd, bytes, 0, bytes.length, entry.offset) !== bytes.length || checksum(bytes) !== entry.checksum) return undefined;
    return { code: words.subarray(0, entry.code), relocations: words.subarray(entry.code, entry.code + entry.relocations), order: words.subarray(entry.code + entry.relocations), strings: this.strings };
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** The bytes of a pack of these files, in pieces. */
export function encodeParsedPack(files: ReadonlyMap<string, CompiledFile>): readonly Uint8Array[] {
  const table = new Map<ByteString, number>();
  const known = new Map<StringTable, Int32Array>();
  const index = Buffer.alloc(files.size * ENTRY);
  const bodies: Uint8Array[] = [];
  const offsets: number[] = [];
  let offset = 0;
  let at = 0;
  for (const [key, file] of files) {
    let indices = known.get(file.strings);
    if (indices === undefined) known.set(file.strings, (indices = new Int32Array(file.strings.length)));
    const words = new Int32Array(file.code.length + file.relocations.length + file.order.length);
    words.set(file.code);
    words.set(file.relocations, file.code.length);
    // In the file's own order, so that each string is met as soon as it is there.
    file.order.forEach((local, i) => {
      let shared = indices[local]!;
      if (shared === 0) {
        const text = file.strings.at(local)!;
        shared = table.get(text) ?? -1;
        if (shared < 0) table.set(text, (shared = table.size));
        indices[local] = ++shared;
      }
      words[file.code.length + file.relocations.length + i] = shared - 1;
    });
    for (const word of file.relocations) words[word] = indices[words[word]!]! - 1;
    const body = Buffer.from(words.buffer);
    index.write(key, at, 32, "latin1");
    index.writeUInt32LE(file.code.length, at + 36);
    index.writeUInt32LE(file.relocations.length, at + 40);
    index.writeUInt32LE(file.order.length, at + 44);
    index.write(checksum(body), at + 48, 16, "latin1");
    bodies.push(body);
    offsets.push(offset);
    offset += body.length;
    at += ENTRY;
  }
  const { ends, bytes: strings } = packStrings([...table.keys()]);
  const start = HEAD + index.length + ends.byteLength + strings.length;
  offsets.forEach((relative, entry) => index.writeUInt32LE(start + relative, entry * ENTRY + 32));
  const rest = Buffer.concat([index, Buffer.from(ends.buffer), strings]);
  const head = Buffer.alloc(HEAD);
  MAGIC.copy(head);
  head.writeUInt32LE(files.size, 8);
  head.writeUInt32LE(table.size, 12);
  head.writeUInt32LE(strings.length, 16);
  hash("sha256", rest, "buffer").copy(head, 24);
  return [head, rest, ...bodies];
}

export function packStrings(texts: readonly ByteString[]): PackedStrings {
  const ends = new Uint32Array(texts.length);
  let length = 0;
  texts.forEach((text, i) => (ends[i] = length += text.length));
  return { length: texts.length, at: (index) => texts[index], ends, bytes: Buffer.from(texts.join(""), "latin1") };
}

function checksum(bytes: Uint8Array): string {
  return hash("sha256", bytes, "buffer").toString("latin1", 0, 16);
}
