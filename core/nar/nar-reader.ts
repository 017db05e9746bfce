import { TsosError } from "../error/tsos-error.ts";
import { bytesToByteString, concatBytes, type ByteString } from "../util/bytes.ts";
import { MAX_NAR_DEPTH, MAX_NAR_NAME, MAX_NAR_TARGET, NAR_MAGIC, paddedLength } from "./nar-token.ts";
import type { NarVisitor } from "./nar-visitor.ts";

/** What the next token must be. */
type State =
  | "magic"
  | "open"
  | "type"
  | "type-name"
  | "regular"
  | "executable"
  | "contents"
  | "size"
  | "data"
  | "padding"
  | "target-tag"
  | "target"
  | "entry"
  | "entry-open"
  | "name-tag"
  | "name"
  | "node"
  | "close"
  | "entry-close"
  | "done";

/** More than the longest token that is kept whole: a chunk's head of this size always lets the reader go on. */
const JOINT = 2 * (8 + MAX_NAR_TARGET + 8);

/**
 * Reads an archive that is pushed in chunks of any sizes. It keeps at most one token and the names on the way
 * to the current entry, and does not recurse.
 */
export class NarReader {
  readonly #visitor: NarVisitor;
  #state: State = "magic";
  /** Bytes of a token that the last chunk did not end. */
  #rest: Uint8Array = new Uint8Array(0);
  #chunk: Uint8Array = this.#rest;
  #position = 0;
  /** Of the archive's bytes, those before `#chunk`. */
  #base = 0;
  /** Paths of the open directories, and the last entry's name in each. */
  readonly #directories: { readonly path: ByteString; last: ByteString | undefined }[] = [];
  #path: ByteString = "";
  #executable = false;
  #remaining = 0;
  #padding = 0;

  constructor(visitor: NarVisitor) {
    this.#visitor = visitor;
  }

  /** Whether the archive's last byte was read. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Of the file whose contents are being read, the bytes that have not come yet; 0 elsewhere. */
  get remaining(): number {
    return this.#state === "data" ? this.#remaining : 0;
  }

  /** As if `size` bytes of them had come, of which the visitor is not told. */
  skip(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.remaining) throw new RangeError(`${size} bytes, expected at most ${this.remaining}`);
    this.#base += size;
    this.#remaining -= size;
    if (this.#remaining === 0) this.#state = "padding";
  }

  /** How many bytes of the archive were read. */
  get offset(): number {
    return this.#base + this.#position;
  }

  /**
   * Takes a chunk and returns how many of its bytes belong to the archive: all, until the archive ends in it.
   *
   * @throws TsosError `nar.*` with the offset and the path in the archive.
   */
  write(chunk: Uint8Array): number {
    if (this.done) return 0;
    let start = 0;
    if (this.#rest.length > 0) {
      const head = chunk.length <= JOINT ? chunk : chunk.subarray(0, JOINT);
      const joint = concatBytes([this.#rest, head]);
      const before = this.#rest.length;
      this.#run(joint);
      if (this.done) return this.#position - before;
      if (head.length === chunk.length) {
        this.#keep();
        return chunk.length;
      }
      start = this.#position - before;
      this.#base += this.#position;
    }
    this.#run(start === 0 ? chunk : chunk.subarray(start));
    if (this.done) return start + this.#position;
    this.#keep();
    return chunk.length;
  }

  /** @throws TsosError `nar.truncated` when the archive has not ended. */
  end(): void {
    if (this.done) return;
    const offset = this.#base + this.#rest.length;
    throw this.#error("nar.truncated", `the archive ends after ${offset} bytes, ${this.#expected()}`, offset);
  }

  #keep(): void {
    this.#base += this.#position;
    // A copy, of a Buffer too: chunks are only lent.
    this.#rest = Uint8Array.prototype.slice.call(this.#chunk, this.#position);
    this.#chunk = this.#rest;
    this.#position = 0;
  }

  #run(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#position = 0;
    while (this.#state !== "done" && this.#step());
  }

  /** Reads one token, or part of a file's contents; false when the chunk does not hold it. */
  #step(): boolean {
    switch (this.#state) {
      case "magic":
        return this.#expect(NAR_MAGIC, "open");
      case "open":
        return this.#expect("(", "type");
      case "type":
        return this.#expect("type", "type-name");
      case "type-name": {
        const type = this.#tag("regular", "directory", "symlink");
        if (type === undefined) return false;
        if (type === "regular") {
          this.#executable = false;
          this.#state = "regular";
        } else if (type === "symlink") {
          this.#state = "target-tag";
        } else {
          this.#directories.push({ path: this.#path, last: undefined });
          this.#visitor.directory?.(this.#path);
          this.#state = "entry";
        }
        return true;
      }
      case "regular": {
        const tag = this.#tag("contents", "executable");
        if (tag === undefined) return false;
        this.#state = tag === "contents" ? "size" : "executable";
        return true;
      }
      case "executable":
        if (!this.#expect("", "contents")) return false;
        this.#executable = true;
        return true;
      case "contents":
        return this.#expect("contents", "size");
      case "size": {
        const size = this.#length();
        if (size === undefined) return false;
        this.#position += 8;
        this.#remaining = size;
        this.#padding = paddedLength(size) - size;
        this.#visitor.regular?.(this.#path, this.#executable, size, this.offset);
        this.#state = "data";
        return true;
      }
      case "data": {
        const available = Math.min(this.#remaining, this.#chunk.length - this.#position);
        if (available > 0) {
          this.#visitor.contents?.(this.#chunk.subarray(this.#position, this.#position + available));
          this.#position += available;
          this.#remaining -= available;
        }
        if (this.#remaining > 0) return false;
        this.#state = "padding";
        return true;
      }
      case "padding":
        if (this.#chunk.length - this.#position < this.#padding) return false;
        this.#checkPadding(this.#position, this.#padding);
        this.#position += this.#padding;
        this.#visitor.endRegular?.(this.#path);
        this.#state = "close";
        return true;
      case "target-tag":
        return this.#expect("target", "target");
      case "target": {
        const target = this.#string(MAX_NAR_TARGET, "a symbolic link's target");
        if (target === undefined) return false;
        if (target === "" || target.includes("\0")) throw this.#error("nar.bad-target", `the symbolic link has the target ${JSON.stringify(target)}`);
        this.#visitor.symlink?.(this.#path, target);
        this.#state = "close";
        return true;
      }
      case "close":
        if (!this.#expect(")", "entry-close")) return false;
        if (this.#directories.length === 0) this.#state = "done";
        return true;
      case "entry-close":
        if (!this.#expect(")", "entry")) return false;
        this.#path = this.#directories.at(-1)!.path;
        return true;
      case "entry": {
        const tag = this.#tag("entry", ")");
        if (tag === undefined) return false;
        if (tag === "entry") {
          this.#state = "entry-open";
          return true;
        }
        const { path } = this.#directories.pop()!;
        this.#visitor.endDirectory?.(path);
        this.#state = this.#directories.length === 0 ? "done" : "entry-close";
        return true;
      }
      case "entry-open":
        return this.#expect("(", "name-tag");
      case "name-tag":
        return this.#expect("name", "name");
      case "name": {
        if (this.#directories.length >= MAX_NAR_DEPTH) {
          throw this.#error("nar.too-deep", `an entry is nested ${MAX_NAR_DEPTH} deep, expected less`);
        }
        const start = this.#position;
        const name = this.#string(MAX_NAR_NAME, "an entry's name");
        if (name === undefined) return false;
        this.#enter(name, this.#base + start);
        this.#state = "node";
        return true;
      }
      case "node":
        return this.#expect("node", "open");
      case "done":
        return false;
    }
  }

  #enter(name: ByteString, offset: number): void {
    if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
      throw this.#error("nar.bad-name", `an entry is named ${JSON.stringify(name)}, expected a file name that is not "." or ".."`, offset);
    }
    const directory = this.#directories.at(-1)!;
    if (directory.last !== undefined && name <= directory.last) {
      const problem = name === directory.last ? `the entry "${name}" stands twice` : `the entry "${name}" stands after "${directory.last}", expected entries sorted by bytes`;
      throw this.#error(name === directory.last ? "nar.double-entry" : "nar.unsorted", problem, offset);
    }
    directory.last = name;
    this.#path = directory.path === "" ? name : `${directory.path}/${name}`;
  }

  /** The length at the position, undefined when the chunk ends within. */
  #length(): number | undefined {
    const chunk = this.#chunk;
    const at = this.#position;
    if (chunk.length - at < 8) return undefined;
    const low = (chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24)) >>> 0;
    const high = (chunk[at + 4]! | (chunk[at + 5]! << 8) | (chunk[at + 6]! << 16) | (chunk[at + 7]! << 24)) >>> 0;
    if (high === 0) return low;
    // An exact number, and room for all that is added to it.
    if (high > 0xfffff) {
      throw this.#error("nar.too-long", `a length of ${(BigInt(high) << 32n) | BigInt(low)} bytes, expected less than 2^52`);
    }
    return high * 2 ** 32 + low;
  }

  #expect(token: string, next: State): boolean {
    if (this.#tag(token) === undefined) return false;
    this.#state = next;
    return true;
  }

  /** The one of the short `tokens` that stands at the position, undefined when the chunk ends within. */
  #tag(...tokens: readonly string[]): string | undefined {
    const length = this.#length();
    if (length === undefined) return undefined;
    const start = this.#position + 8;
    let possible = false;
    for (const token of tokens) {
      if (token.length !== length) continue;
      possible = true;
      const padded = paddedLength(length);
      if (this.#chunk.length - start < padded) return undefined;
      let i = 0;
      while (i < length && this.#chunk[start + i] === token.charCodeAt(i)) i++;
      if (i < length) continue;
      this.#checkPadding(start + length, padded - length);
      this.#position = start + padded;
      return token;
    }
    const expected = tokens.map((token) => `"${token}"`).join(" or ");
    const found = possible ? JSON.stringify(bytesToByteString(this.#chunk.subarray(start, start + length))) : `a string of ${length} bytes`;
    throw this.#error("nar.bad-token", `expected ${expected}, found ${found}`);
  }

  #string(limit: number, what: string): ByteString | undefined {
    const length = this.#length();
    if (length === undefined) return undefined;
    if (length > limit) throw this.#error("nar.too-long", `${what} has ${length} bytes, expected at most ${limit}`);
    const start = this.#position + 8;
    const padded = paddedLength(length);
    if (this.#chunk.length - start < padded) return undefined;
    this.#checkPadding(start + length, padded - length);
    this.#position = start + padded;
    return bytesToByteString(this.#chunk.subarray(start, start + length));
  }

  #checkPadding(start: number, length: number): void {
    for (let i = start; i < start + length; i++) {
      if (this.#chunk[i] === 0) continue;
      throw this.#error("nar.bad-padding", `padding that is ${this.#chunk[i]}, expected zero`, this.#base + i);
    }
  }

  #expected(): string {
    switch (this.#state) {
      case "data":
        return `${this.#remaining} bytes before the end of a file's contents`;
      case "padding":
        return "within the padding of a file's contents";
      default:
        return `expected ${this.#state}`;
    }
  }

  #error(code: string, message: string, offset: number = this.offset): TsosError {
    // A hostile path may be long; its end tells enough.
    const path = this.#path.length > 300 ? `…${this.#path.slice(-300)}` : this.#path;
    return new TsosError({ code, message: `NAR, byte ${offset}, ${path === "" ? "at its root" : `"${path}"`}: ${message}`, data: { offset, path } });
  }
}
