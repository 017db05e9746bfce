import type { Writable } from "node:stream";
import { TsosError } from "../../error/tsos-error.ts";
import { byteStringToBytes, encodeUtf8, type ByteString } from "../../util/bytes.ts";

const ZEROS = new Uint8Array(8);

/** Small pieces are put together up to this. */
const BLOCK = 32 * 1024;

/** Writes the protocol's primitives, see `WireReader`. What is written leaves with `flush`. */
export class WireWriter {
  readonly #stream: Writable;
  #block = new Uint8Array(BLOCK);
  #used = 0;
  #failure: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error) => (this.#failure ??= error));
  }

  /** Bytes that the other side did not take yet. */
  get waiting(): number {
    return this.#stream.writableLength;
  }

  number(value: number | bigint): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return this.raw(bytes);
  }

  boolean(value: boolean): this {
    return this.number(value ? 1 : 0);
  }

  bytes(value: Uint8Array): this {
    this.number(value.length);
    this.raw(value);
    return value.length % 8 === 0 ? this : this.raw(ZEROS.subarray(0, 8 - (value.length % 8)));
  }

  string(value: ByteString): this {
    return this.bytes(byteStringToBytes(value));
  }

  /** A text of ours, as UTF-8. */
  text(value: string): this {
    return this.bytes(encodeUtf8(value));
  }

  list<T>(values: readonly T[], element: (value: T) => unknown): this {
    this.number(values.length);
    for (const value of values) element(value);
    return this;
  }

  strings(values: readonly ByteString[]): this {
    return this.list(values, (value) => this.string(value));
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): this {
    if (this.#used + bytes.length > BLOCK) this.push();
    if (bytes.length >= BLOCK) {
      // The caller's bytes may only be lent.
      this.#write(bytes.slice());
    } else {
      this.#block.set(bytes, this.#used);
      this.#used += bytes.length;
    }
    return this;
  }

  /** Sends what was written, without waiting for anybody to take it. */
  push(): void {
    if (this.#used === 0) return;
    const block = this.#block.subarray(0, this.#used);
    this.#block = new Uint8Array(BLOCK);
    this.#used = 0;
    this.#write(block);
  }

  /** Sends what was written; waits while the other side is behind. @throws TsosError `daemon.connection-lost` */
  async flush(): Promise<void> {
    this.push();
    if (this.#stream.writableNeedDrain && !this.#stream.destroyed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          for (const name of ["drain", "close", "error"]) this.#stream.off(name, done);
          resolve();
        };
        for (const name of ["drain", "close", "error"]) this.#stream.on(name, done);
      });
    }
    if (this.#failure !== undefined || this.#stream.destroyed) {
      throw new TsosError({ code: "daemon.connection-lost", message: "the other side closed the connection", cause: this.#failure });
    }
  }

  /** Bytes in frames, an empty one last. What `chunks` throws leaves the frames without their end. */
  async frames(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.number(chunk.length).raw(chunk);
      await this.flush();
    }
    this.number(0);
  }

  /** Bytes as they are, as fast as they are taken. */
  async stream(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      this.raw(chunk);
      await this.flush();
    }
  }

  #write(bytes: Uint8Array): void {
    if (!this.#stream.destroyed && this.#failure === undefined) this.#stream.write(bytes);
  }
}
