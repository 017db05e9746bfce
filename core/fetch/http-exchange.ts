import { TsosError } from "../error/tsos-error.ts";
import type { HttpAnswerVisitor, HttpHead } from "./http-answer-reader.ts";

/** What a server answered. */
export type HttpAnswer = HttpHead & {
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** Read once; who stops before its end closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** All of the body. @throws TsosError `fetch.too-long` where that is more than `limit` bytes */
  whole(limit: number): Promise<Uint8Array>;
  /** For a body that nobody wants. */
  discard(): void;
};

/** The connection that an exchange is on. */
type Carrier = { resume(): void; destroy(): void };

/** Bytes that may wait for their reader before the connection is told to pause. */
const HIGH = 1 << 20;

/** An unwanted body is read to its end where that is cheaper than another connection. */
const MAX_DISCARDED = 1 << 16;

/** One request and its answer. */
export class HttpExchange implements HttpAnswerVisitor {
  readonly url: URL;
  readonly text: string;
  readonly isHead: boolean;
  readonly answer: Promise<HttpAnswer>;
  /** Of the connection that carries it now. */
  carrier: Carrier | undefined;
  /** It was sent on a connection that others had used, and may be sent once more on a new one. */
  mayRetry = true;
  #resolve!: (answer: HttpAnswer) => void;
  #reject!: (error: unknown) => void;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #mode: "kept" | "discarded" = "kept";
  #over = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.fail(this.#signal!.reason);

  constructor(options: { readonly method: "GET" | "HEAD"; readonly url: URL; readonly headers: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined }) {
    const { method, url, headers } = options;
    this.url = url;
    this.isHead = method === "HEAD";
    let text = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`;
    for (const [name, value] of Object.entries(headers)) {
      if (/[\r\n\0]/.test(value)) throw new TsosError({ code: "fetch.bad-header", message: `the header "${name}" has a line's end in it` });
      text += `${name}: ${value}\r\n`;
    }
    this.text = `${text}\r\n`;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Nothing more comes of it. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the connection is to wait until what came was read. */
  get isFull(): boolean {
    return this.#waitingBytes > HIGH && !this.#over;
  }

  head(head: HttpHead): void {
    this.#resolve({ ...head, url: this.url, body: { [Symbol.asyncIterator]: () => this.#read() }, whole: (limit) => this.#whole(limit), discard: () => this.#discard() });
  }

  body(bytes: Uint8Array): void {
    this.#waitingBytes += bytes.length;
    if (this.#mode === "kept") this.#chunks.push(Buffer.from(bytes));
    else if (this.#waitingBytes > MAX_DISCARDED) this.carrier?.destroy();
    this.#wake?.();
  }

  end(): void {
    this.#finish();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#failure = { error };
    this.#finish();
    this.#reject(error);
    this.carrier?.destroy();
  }

  #finish(): void {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#wake?.();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
          const wasFull = this.isFull;
          this.#waitingBytes -= chunk.length;
          if (wasFull && !this.isFull) this.carrier?.resume();
          yield chunk;
        }
        if (this.#failure !== undefined) throw this.#failure.error;
        if (this.#over) return;
        await this.#changed();
      }
    } finally {
      if (!this.#over) this.fail(new Error("the reader stopped"));
    }
  }

  async #whole(limit: number): Promise<Uint8Array> {
    while (!this.#over && this.#waitingBytes <= limit) {
      if (this.isFull) this.carrier?.resume();
      await this.#changed();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#waitingBytes > limit) {
      const error = new TsosError({ code: "fetch.too-long", message: `"${this.url.href}" is longer than ${limit} bytes` });
      this.fail(error);
      throw error;
    }
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  #discard(): void {
    this.#mode = "discarded";
    this.#chunks = [];
    if (this.#waitingBytes > MAX_DISCARDED && !this.#over) this.carrier?.destroy();
    else this.carrier?.resume();
  }
}
