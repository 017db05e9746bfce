import { TsosError } from "../../error/tsos-error.ts";
import { bytesToByteString } from "../../util/bytes.ts";
import type { ByteString } from "../../util/bytes.ts";

/** One entry of a tar archive, as it stands there: nothing is checked for being safe. */
export type TarEntry = {
  readonly kind: "file" | "hard-link" | "symlink" | "directory" | "other";
  readonly path: ByteString;
  /** Of links. */
  readonly target: ByteString;
  readonly executable: boolean;
  /** Whether its owner may execute it, which is all that Nix looks at. */
  readonly ownerExecutable: boolean;
  /** Seconds since the epoch. */
  readonly modified: number;
  readonly size: number;
  /** The archive's own letter for the kind, for messages. */
  readonly type: string;
};

/** Takes a file's bytes as they come; `end` is called once all of them came. */
export type TarSink = { write(bytes: Uint8Array): void; end(): void };

const BLOCK = 512;
// GNU tar's own limit is far below; what is longer is not a name.
const LONGEST_RECORD = 1024 * 1024;

/**
 * Reads ustar, GNU (long names, base-256 sizes) and pax archives. `visit` is called for each entry and may
 * return where a file's bytes go.
 *
 * @throws TsosError `archive.invalid` when the archive is broken or ends early.
 */
export async function readTar(source: AsyncIterable<Uint8Array>, visit: (entry: TarEntry) => TarSink | undefined): Promise<void> {
  const parser = new TarParser(visit);
  for await (const chunk of source) parser.push(chunk);
  parser.finish();
}

type Overrides = { path?: ByteString; target?: ByteString; size?: number; modified?: number };

class TarParser {
  private readonly header = new Uint8Array(BLOCK);
  private headerLength = 0;
  /** Bytes of the current entry's data, then of its padding, still to come. */
  private remaining = 0;
  private padding = 0;
  private sink: TarSink | undefined;
  private overrides: Overrides = {};
  private ended = false;
  private offset = 0;
  private readonly visit: (entry: TarEntry) => TarSink | undefined;

  constructor(visit: (entry: TarEntry) => TarSink | undefined) {
    this.visit = visit;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.remaining > 0) {
        const length = Math.min(this.remaining, chunk.length - at);
        this.sink?.write(chunk.subarray(at, at + length));
        this.remaining -= length;
        at += length;
        if (this.remaining === 0) this.endSink();
      } else if (this.padding > 0) {
        const length = Math.min(this.padding, chunk.length - at);
        this.padding -= length;
        at += length;
      } else {
        const length = Math.min(BLOCK - this.headerLength, chunk.length - at);
        this.header.set(chunk.subarray(at, at + length), this.headerLength);
        this.headerLength += length;
        at += length;
        if (this.headerLength === BLOCK) {
          this.headerLength = 0;
          this.readHeader();
        }
      }
    }
    this.offset += chunk.length;
  }

  finish(): void {
    if (this.remaining > 0 || this.headerLength > 0) throw invalid(`it ends after ${this.offset} bytes inside an entry`);
    if (!this.ended) throw invalid(`it ends after ${this.offset} bytes without its end mark`);
  }

  private endSink(): void {
    const sink = this.sink;
    this.sink = undefined;
    sink?.end();
  }

  private readHeader(): void {
    const { header } = this;
    if (header.every((byte) => byte === 0)) {
      this.ended = true;
      return;
    }
    // What follows the end mark is padding that some writers fill with anything.
    if (this.ended) return;
    checkSum(header);
    const type = header[156] === 0 ? "0" : String.fromCharCode(header[156]!);
    const { overrides } = this;
    const size = "1256".includes(type) ? 0 : (overrides.size ?? readNumber(header, 124, 12));
    if (type === "L" || type === "K" || type === "x" || type === "g") {
      this.readRecord(type, readNumber(header, 124, 12));
      return;
    }
    this.overrides = {};
    const ustar = bytesToByteString(header.subarray(257, 262)) === "ustar" && header[262] === 0;
    const prefix = ustar ? readText(header, 345, 155) : "";
    const name = readText(header, 0, 100);
    const path = overrides.path ?? (prefix === "" ? name : `${prefix}/${name}`);
    const kind = KINDS[type] ?? "other";
    this.startData(size, undefined);
    this.sink = this.visit({
      kind: kind === "file" && path.endsWith("/") ? "directory" : kind,
      path,
      target: overrides.target ?? readText(header, 157, 100),
      executable: (readNumber(header, 100, 8) & 0o111) !== 0,
      ownerExecutable: (readNumber(header, 100, 8) & 0o100) !== 0,
      modified: overrides.modified ?? readTime(header),
      size,
      type,
    });
    if (size === 0) this.endSink();
  }

  private startData(size: number, sink: TarSink | undefined): void {
    this.remaining = size;
    this.padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.sink = sink;
  }

  /** An entry that says something about the next one. */
  private readRecord(type: string, size: number): void {
    if (size > LONGEST_RECORD) throw invalid(`a name or header record of ${size} bytes, expected at most ${LONGEST_RECORD}`);
    const record = new Uint8Array(size);
    let length = 0;
    this.startData(size, {
      write: (bytes) => {
        record.set(bytes, length);
        length += bytes.length;
      },
      end: () => {
        const text = bytesToByteString(record);
        if (type === "L") this.overrides.path = text.replace(/\0.*$/s, "");
        else if (type === "K") this.overrides.target = text.replace(/\0.*$/s, "");
        else if (type === "x") this.overrides = { ...this.overrides, ...parsePax(text) };
      },
    });
    if (size === 0) this.endSink();
  }
}

const KINDS: Readonly<Record<string, TarEntry["kind"]>> = { "0": "file", "7": "file", "1": "hard-link", "2": "symlink", "5": "directory" };

function parsePax(text: ByteString): Overrides {
  const result: Overrides = {};
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(" ", at);
    const length = Number(text.slice(at, space));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > text.length) throw invalid("a pax header is broken");
    const record = text.slice(space + 1, at + length - 1);
    const equals = record.indexOf("=");
    const [name, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (name === "path") result.path = value;
    else if (name === "linkpath") result.target = value;
    else if (name === "size") result.size = checkSize(Number(value));
    else if (name === "mtime") result.modified = Math.max(0, Math.floor(Number(value))) || 0;
    at += length;
  }
  return result;
}

function readText(header: Uint8Array, start: number, length: number): ByteString {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return bytesToByteString(end < 0 ? field : field.subarray(0, end));
}

function readNumber(header: Uint8Array, start: number, length: number): number {
  if ((header[start]! & 0x80) !== 0) {
    let value = header[start]! & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + header[start + i]!;
    return checkSize(value);
  }
  const text = readText(header, start, length).trim();
  if (!/^[0-7]*$/.test(text)) throw invalid(`"${text}" is not an octal number`);
  return text === "" ? 0 : checkSize(parseInt(text, 8));
}

/** A time before the epoch is written as a negative number in base 256. */
function readTime(header: Uint8Array): number {
  return header[136] === 0xff ? 0 : readNumber(header, 136, 12);
}

function checkSize(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(`${value} is not a size`);
  return value;
}

function checkSum(header: Uint8Array): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  if (sum !== readNumber(header, 148, 8)) throw invalid("an entry's checksum is wrong");
}

function invalid(reason: string): TsosError {
  return new TsosError({ code: "archive.invalid", message: `the tar archive is broken: ${reason}` });
}
