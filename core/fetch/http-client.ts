import { Agent as PlainAgent, request as requestPlainly, type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Agent as SecureAgent } from "node:https";
import type { Socket } from "node:net";
import { TsosError } from "../error/tsos-error.ts";

export type HttpClientOptions = {
  /** To one server at once. */
  readonly connections: number;
  /** Milliseconds until one must stand. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte after which one counts as dead. */
  readonly stallTimeout: number;
};

export type HttpRequest = {
  readonly method: "GET" | "HEAD";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
};

/** What a server answered. */
export type HttpAnswer = {
  readonly status: number;
  /** By its name in lower case. */
  header(name: string): string | undefined;
  /** Read once; who stops before its end closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** All of the body. @throws TsosError `fetch.too-long` where that is more than `limit` bytes */
  whole(limit: number): Promise<Uint8Array>;
  /** For a body that nobody wants. */
  discard(): void;
};

/** An answer that was received to its end. Without a body where the status says that there is not what was asked for; or why the body broke off. */
export type WholeAnswer = { readonly status: number; readonly bytes: Uint8Array | undefined; readonly failure: unknown };

const MAX_REDIRECTS = 10;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What another server must not learn. */
const CREDENTIALS = /^(?:authorization|cookie|proxy-authorization|x-amz-.*)$/i;

const MAX_HEADERS = 64 * 1024;

/** An unwanted body is read to its end where that is cheaper than another connection. */
const MAX_DISCARDED = 64 * 1024;

/**
 * Asks servers for files by Node's own client, on connections that are kept: for many small files it takes two thirds of
 * the processor time of `dispatcher.ts`, and is loaded at once. It knows no proxies and sends no bodies.
 */
export class HttpClient implements Disposable {
  readonly #options: HttpClientOptions;
  readonly #plain: PlainAgent;
  #secure: SecureAgent | undefined;
  /** Requests whose answers are on their way. */
  readonly #open = new Set<Open>();
  /** One listener for all requests that a signal ends, and one clock for all: of each its own would be a third of a small request. */
  readonly #heard = new WeakSet<AbortSignal>();
  #clock: NodeJS.Timeout | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#plain = new PlainAgent({ keepAlive: true, maxSockets: options.connections, noDelay: true });
  }

  /**
   * The answer to a request, redirects followed; its body is still on its way.
   *
   * @throws what the network or the signal throws
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const { message, url } = await this.#follow(request);
    return answerOf(message, url);
  }

  /**
   * The same of a small file with its body, which may have at most `limit` bytes.
   *
   * @throws what the network or the signal throws until there is an answer; what ends the body is its `failure`
   */
  async requestWhole(request: HttpRequest, limit: number): Promise<WholeAnswer> {
    return receiveWhole(await this.request(request), limit);
  }

  async #follow({ method, url, headers, signal }: HttpRequest): Promise<{ readonly message: IncomingMessage; readonly url: URL }> {
    let target = url;
    let sent = headers;
    for (let redirects = 0; ; redirects++) {
      const message = await this.#ask(method, target, sent, signal);
      const location = REDIRECTS.has(message.statusCode ?? 0) ? message.headers.location : undefined;
      if (location === undefined) return { message, url: target };
      discard(message);
      if (redirects >= MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
      const next = new URL(location, target);
      if (next.protocol !== "http:" && next.protocol !== "https:") throw new Error(`a redirect to "${next.href}"`);
      if (next.origin !== target.origin) sent = Object.fromEntries(Object.entries(sent).filter(([name]) => !CREDENTIALS.test(name)));
      target = next;
    }
  }

  async #ask(method: string, url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const { protocol, host, hostname, port, pathname, search } = url;
    const isSecure = protocol === "https:";
    // Not the address itself, which is taken apart and copied for each request; headers as a list, which is written as it is.
    const options: RequestOptions = {
      protocol,
      hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
      port,
      path: pathname + search,
      method,
      headers: ["Host", host, ...Object.entries(headers).flat()],
      maxHeaderSize: MAX_HEADERS,
      agent: isSecure ? (this.#secure ??= await this.#secureAgent()) : this.#plain,
    };
    for (;;) {
      signal?.throwIfAborted();
      // Half a millisecond that a plain cache does not need.
      const request = isSecure ? (await import("node:https")).request(options) : requestPlainly(options);
      try {
        return await this.#answered(request, signal);
      } catch (error) {
        signal?.throwIfAborted();
        // An idle connection may be closed by its server just as something is sent on it.
        if (!request.reusedSocket || (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
      }
    }
  }

  async #secureAgent(): Promise<SecureAgent> {
    const { Agent } = await import("node:https");
    return new Agent({ keepAlive: true, maxSockets: this.#options.connections, noDelay: true });
  }

  #answered(request: ClientRequest, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const open = this.#watch(request, signal);
    return new Promise((resolve, reject) => {
      request.on("response", (message) => {
        open.message = message;
        resolve(message);
      });
      // Also after the answer began, whose reader is told by itself.
      request.on("error", reject);
      request.end();
    });
  }

  /** Ends it with the signal, and where nothing comes. */
  #watch(request: ClientRequest, signal: AbortSignal | undefined): Open {
    const open: Open = { request, signal, message: undefined, socket: undefined, received: 0, since: performance.now() };
    this.#open.add(open);
    request.on("close", () => {
      this.#open.delete(open);
      if (this.#open.size > 0) return;
      clearInterval(this.#clock);
      this.#clock = undefined;
    });
    if (signal !== undefined && !this.#heard.has(signal)) {
      this.#heard.add(signal);
      signal.addEventListener("abort", () => {
        for (const one of this.#open) if (one.signal === signal) one.request.destroy(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      }, { once: true });
    }
    const { connectTimeout, stallTimeout } = this.#options;
    this.#clock ??= setInterval(() => this.#endStalled(), Math.min(connectTimeout, stallTimeout) / 4).unref();
    return open;
  }

  #endStalled(): void {
    const { connectTimeout, stallTimeout } = this.#options;
    const now = performance.now();
    for (const open of this.#open) {
      const { request } = open;
      const { socket } = request;
      // One that waits for a connection to be free has not begun; a server whose bytes nobody reads is not to blame.
      const isIdle = socket === null || socket === undefined || (open.message?.readableLength ?? 0) > 0;
      if (isIdle || socket !== open.socket || socket.bytesRead !== open.received) {
        open.socket = socket ?? undefined;
        open.received = socket?.bytesRead ?? 0;
        open.since = now;
      } else if (socket.connecting) {
        if (now - open.since > connectTimeout) request.destroy(new Error(`no connection within ${connectTimeout / 1000} s`));
      } else if (now - open.since > stallTimeout) {
        request.destroy(new Error(`nothing came for ${stallTimeout / 1000} s`));
      }
    }
  }

  /** Closes all; what is under way fails. */
  [Symbol.dispose](): void {
    clearInterval(this.#clock);
    this.#plain.destroy();
    this.#secure?.destroy();
  }
}

type Open = {
  readonly request: ClientRequest;
  readonly signal: AbortSignal | undefined;
  message: IncomingMessage | undefined;
  /** What was seen of it when it last moved, and when that was. */
  socket: Socket | undefined;
  received: number;
  since: number;
};

/** The rest of `HttpClient.requestWhole`, of any answer. */
export async function receiveWhole(answer: HttpAnswer, limit: number): Promise<WholeAnswer> {
  const { status } = answer;
  if (status >= 300) {
    answer.discard();
    return { status, bytes: undefined, failure: undefined };
  }
  try {
    return { status, bytes: await answer.whole(limit), failure: undefined };
  } catch (failure) {
    return { status, bytes: undefined, failure };
  }
}

function answerOf(message: IncomingMessage, url: URL): HttpAnswer {
  return {
    status: message.statusCode ?? 0,
    header: (name) => {
      const value = message.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: message,
    whole: (limit) => receive(message, url, limit),
    discard: () => discard(message),
  };
}

function receive(message: IncomingMessage, url: URL, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    message.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else message.destroy(new TsosError({ code: "fetch.too-long", message: `"${url.href}" is longer than ${limit} bytes` }));
    });
    // None comes twice, and to take a listener away costs as much as to add it.
    message.on("error", reject);
    message.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    // What ended before its end says so by an error; should it not, nobody is to wait for ever.
    message.on("close", () => reject(new Error("the connection ended before the answer did")));
  });
}

function discard(message: IncomingMessage): void {
  message.on("error", () => undefined);
  const size = Number(message.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (size > MAX_DISCARDED) message.destroy();
  else message.resume();
}
