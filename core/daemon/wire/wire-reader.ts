import { TsosError } from "../../error/tsos-error.ts";
import { NarReader } from "../../nar/nar-reader.ts";
import { bytesToByteString, decodeUtf8Lossy, type ByteString } from "../../util/bytes.ts";

/** What one request, or one answer, may hold beside what is streamed. */
export const DEFAULT_BUDGET = 64 * 1024 * 1024;

/** What an element of a list costs here beside its bytes, so that a list of empty strings is bounded too. */
const ELEMENT = 64;

const EMPTY = new Uint8Array(0);

/**
 * Reads the protocol's primitives: numbers of eight bytes, little end first, and strings with their length before and
 * zeros after them up to eight bytes. A length that the other side only claims costs nothing: memory follows what
 * arrives, and all that is kept of one request stays within a budget.
 */
export class WireReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #budget: number;
  #chunk: Uint8Array = EMPTY;
  #position = 0;
  #left: number;

  constructor(source: AsyncIterable<Uint8Array>, budget: number = DEFAULT_BUDGET) {
    this.#source = source[Symbol.asyncIterator]();
    this.#budget = budget;
    this.#left = budget;
  }

  /** From here on a new request's budget counts. */
  renewBudget(): void {
    this.#left = this.#budget;
  }

  /** Whether nothing more comes. Waits for more. */
  async atEnd(): Promise<boolean> {
    return (await this.#available()) === 0;
  }

  async bigint(): Promise<bigint> {
    if (this.#chunk.length - this.#position >= 8) {
      const value = view(this.#chunk).getBigUint64(this.#position, true);
      this.#position += 8;
      return value;
    }
    return view(await this.#take(8)).getBigUint64(0, true);
  }

  /** @throws TsosError `daemon.protocol` above what a number holds exactly */
  async number(): Promise<number> {
    const value = await this.bigint();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw protocolError(`the number ${value} is too large`);
    return Number(value);
  }

  async boolean(): Promise<boolean> {
    return (await this.bigint()) !== 0n;
  }

  /** @param limit of its bytes, where less than the budget is enough */
  async bytes(limit: number = Number.MAX_SAFE_INTEGER): Promise<Uint8Array> {
    const length = await this.number();
    if (length > limit) throw protocolError(`a string of ${length} bytes is longer than the ${limit} that are allowed`);
    this.#spend(length + ELEMENT);
    const result = await this.#take(length);
    const padding = (8 - (length % 8)) % 8;
    if (padding > 0 && (await this.#take(padding)).some((byte) => byte !== 0)) throw protocolError("the padding after a string is not zero");
    return result;
  }

  async string(limit?: number): Promise<ByteString> {
    return bytesToByteString(await this.bytes(limit));
  }

  /** For people: UTF-8, what is not becomes U+FFFD. */
  async text(limit?: number): Promise<string> {
    return decodeUtf8Lossy(await this.bytes(limit));
  }

  async list<T>(element: () => Promise<T>): Promise<T[]> {
    const length = await this.number();
    const result: T[] = [];
    for (let i = 0; i < length; i++) {
      this.#spend(ELEMENT);
      result.push(await element());
    }
    return result;
  }

  strings(): Promise<ByteString[]> {
    return this.list(() => this.string());
  }

  async map<T>(value: (key: ByteString) => Promise<T>): Promise<Map<ByteString, T>> {
    const length = await this.number();
    const result = new Map<ByteString, T>();
    for (let i = 0; i < length; i++) {
      this.#spend(ELEMENT);
      const key = await this.string();
      result.set(key, await value(key));
    }
    return result;
  }

  /** Exactly the next `length` bytes, as they arrive. */
  section(length: number): Section {
    let left = length;
    return makeSection(async () => {
      if (left === 0) return undefined;
      const available = await this.#available();
      if (available === 0) throw truncated();
      const part = this.#chunk.subarray(this.#position, this.#position + Math.min(left, available));
      this.#position += part.length;
      left -= part.length;
      return part;
    });
  }

  /** The bytes of frames, each with its length before it, up to an empty one. */
  frames(): Section {
    let frame: AsyncIterator<Uint8Array> | undefined;
    let done = false;
    return makeSection(async () => {
      while (!done) {
        const part = await frame?.next();
        if (part !== undefined && part.done !== true) return part.value;
        const length = await this.number();
        done = length === 0;
        frame = this.section(length)[Symbol.asyncIterator]();
      }
      return undefined;
    });
  }

  /** The next bytes as far as a NAR goes. @throws TsosError `nar.*` */
  async *nar(): AsyncGenerator<Uint8Array> {
    const nar = new NarReader({});
    while (!nar.done) {
      if ((await this.#available()) === 0) throw truncated();
      const rest = this.#chunk.subarray(this.#position);
      const used = nar.write(rest);
      this.#position += used;
      yield rest.subarray(0, used);
    }
  }

  async #available(): Promise<number> {
    while (this.#position >= this.#chunk.length) {
      const next = await this.#source.next();
      if (next.done === true) return 0;
      this.#chunk = next.value;
      this.#position = 0;
    }
    return this.#chunk.length - this.#position;
  }

  async #take(length: number): Promise<Uint8Array> {
    if (this.#chunk.length - this.#position >= length) {
      this.#position += length;
      // A copy: what arrived with it is not to be kept alive by it.
      return this.#chunk.slice(this.#position - length, this.#position);
    }
    const parts: Uint8Array[] = [];
    for await (const part of this.section(length)) parts.push(part);
    return Buffer.concat(parts, length);
  }

  #spend(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw protocolError(`a message is larger than the ${this.#budget} bytes that are allowed`);
  }
}

/** A part of the stream with an end. Who stops reading it early leaves the rest to be drained, unlike a generator's. */
export type Section = AsyncIterable<Uint8Array> & {
  /** Reads what is left, so that what comes after the section is next. */
  drain(): Promise<void>;
};

function makeSection(next: () => Promise<Uint8Array | undefined>): Section {
  const step = async (): Promise<IteratorResult<Uint8Array>> => {
    const value = await next();
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  };
  return {
    [Symbol.asyncIterator]: () => ({ next: step }),
    async drain() {
      while ((await next()) !== undefined);
    },
  };
}

/** The other side does not keep to the protocol: the connection cannot go on. */
export function protocolError(problem: string): TsosError {
  return new TsosError({ code: "daemon.protocol", message: `protocol error: ${problem}` });
}

function truncated(): TsosError {
  return new TsosError({ code: "daemon.connection-lost", message: "the connection ended in the middle of a message" });
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
