import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { HttpAnswerReader } from "./http-answer-reader.ts";
import { HttpExchange, type HttpAnswer } from "./http-exchange.ts";

export type HttpConnectionsOptions = {
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

const MAX_REDIRECTS = 10;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What another server must not learn. */
const CREDENTIALS = /^(?:authorization|cookie|proxy-authorization|x-amz-.*)$/i;

/** Each connection reads into one such buffer. */
const BUFFER = 1 << 16;

/**
 * Asks servers over HTTP/1.1 for files, on connections that are kept. It is for many small files: a request costs a
 * tenth of the processor time that it costs the whole client (`dispatcher.ts`), which has what this has not: proxies, bodies
 * of requests, further versions of HTTP.
 */
export class HttpConnections implements Disposable {
  readonly #options: HttpConnectionsOptions;
  readonly #origins = new Map<string, Origin>();

  constructor(options: HttpConnectionsOptions) {
    this.#options = options;
  }

  /**
   * The answer to a request, redirects followed; its body is still on its way.
   *
   * @throws TsosError `fetch.bad-answer`; what the network or the signal throws
   */
  async request({ method, url, headers, signal }: HttpRequest): Promise<HttpAnswer> {
    let target = url;
    let sent = headers;
    for (let redirects = 0; ; redirects++) {
      signal?.throwIfAborted();
      const exchange = new HttpExchange({ method, url: target, headers: sent, signal });
      this.#originOf(target).send(exchange);
      const answer = await exchange.answer;
      const location = REDIRECTS.has(answer.status) ? answer.headers.get("location") : undefined;
      if (location === undefined) return answer;
      answer.discard();
      if (redirects >= MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
      const next = new URL(location, target);
      if (next.protocol !== "http:" && next.protocol !== "https:") throw new Error(`a redirect to "${next.href}"`);
      if (next.origin !== target.origin) sent = Object.fromEntries(Object.entries(sent).filter(([name]) => !CREDENTIALS.test(name)));
      target = next;
    }
  }

  #originOf(url: URL): Origin {
    let origin = this.#origins.get(url.origin);
    if (origin === undefined) this.#origins.set(url.origin, (origin = new Origin(url, this.#options)));
    return origin;
  }

  /** Closes all; what is under way fails. */
  [Symbol.dispose](): void {
    for (const origin of this.#origins.values()) origin.close();
    this.#origins.clear();
  }
}

/** The connections to one server. */
class Origin {
  readonly #isSecure: boolean;
  readonly #host: string;
  readonly #port: number;
  readonly #options: HttpConnectionsOptions;
  readonly #open = new Set<Connection>();
  readonly #idle: Connection[] = [];
  #waiting: HttpExchange[] = [];
  /** Lets further connections skip most of the handshake. */
  #session: Buffer | undefined;

  constructor(url: URL, options: HttpConnectionsOptions) {
    this.#isSecure = url.protocol === "https:";
    this.#host = url.hostname.replace(/^\[|\]$/g, "");
    this.#port = url.port === "" ? (this.#isSecure ? 443 : 80) : Number(url.port);
    this.#options = options;
  }

  send(exchange: HttpExchange): void {
    const idle = this.#idle.pop();
    if (idle !== undefined) idle.carry(exchange);
    else if (this.#open.size < this.#options.connections) this.#connect(exchange);
    else this.#waiting.push(exchange);
  }

  close(): void {
    for (const exchange of this.#waiting.splice(0)) exchange.fail(new Error("the connections are closed"));
    for (const connection of this.#open) connection.destroy();
  }

  #connect(exchange: HttpExchange): void {
    const connection = new Connection(this.#options, {
      free: () => {
        const next = this.#next();
        if (next === undefined) this.#idle.push(connection);
        return next;
      },
      closed: (unanswered) => {
        this.#open.delete(connection);
        const place = this.#idle.indexOf(connection);
        if (place >= 0) this.#idle.splice(place, 1);
        // An idle connection may be closed by its server just as something is sent on it.
        const next = unanswered ?? this.#next();
        if (next !== undefined) this.#connect(next);
      },
    });
    this.#open.add(connection);
    if (this.#isSecure) void this.#openSecure(connection, exchange);
    else connection.open(connect({ host: this.#host, port: this.#port, noDelay: true, onread: connection.onread }), "connect", exchange);
  }

  async #openSecure(connection: Connection, exchange: HttpExchange): Promise<void> {
    // Half a millisecond that a plain cache does not need.
    const { connect: connectSecurely } = await import("node:tls");
    // Node's own description of `connect` lacks `onread`, which its manual has.
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      host: this.#host,
      port: this.#port,
      ALPNProtocols: ["http/1.1"],
      onread: connection.onread,
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    };
    const socket = connectSecurely(options);
    socket.setNoDelay(true);
    socket.on("session", (session) => (this.#session = session));
    connection.open(socket, "secureConnect", exchange);
  }

  #next(): HttpExchange | undefined {
    let next = this.#waiting.shift();
    while (next?.over) next = this.#waiting.shift();
    return next;
  }
}

type Keeper = {
  /** It may carry another exchange: the next one, or undefined where none waits. */
  free(): HttpExchange | undefined;
  /** @param unanswered what was sent on it too late */
  closed(unanswered: HttpExchange | undefined): void;
};

class Connection {
  readonly #options: HttpConnectionsOptions;
  readonly #keeper: Keeper;
  #socket!: Socket;
  #exchange: HttpExchange | undefined;
  #reader: HttpAnswerReader | undefined;
  #isFresh = true;
  /** A byte of the answer came. */
  #answered = false;
  #reusable = false;
  #isPaused = false;
  #error: unknown;

  /** As a socket takes it: into one buffer, without the events and copies of a stream. */
  readonly onread = {
    buffer: Buffer.allocUnsafeSlow(BUFFER),
    callback: (size: number, bytes: Uint8Array): boolean => this.#receive(Buffer.from(bytes.buffer, bytes.byteOffset, size)),
  };

  constructor(options: HttpConnectionsOptions, keeper: Keeper) {
    this.#options = options;
    this.#keeper = keeper;
  }

  open(socket: Socket, connected: "connect" | "secureConnect", exchange: HttpExchange): void {
    const { connectTimeout, stallTimeout } = this.#options;
    this.#socket = socket;
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${connectTimeout} ms`)), connectTimeout);
    let hasEnded = false;
    socket.once(connected, () => clearTimeout(timer));
    socket.setTimeout(stallTimeout, () => {
      // Who reads slowly is no fault of the server.
      if (!this.#isPaused) socket.destroy(new Error(`nothing came for ${stallTimeout} ms`));
    });
    socket.on("error", (error) => (this.#error ??= error));
    socket.on("end", () => (hasEnded = true));
    socket.on("close", () => {
      clearTimeout(timer);
      this.#closed(hasEnded);
    });
    this.carry(exchange);
  }

  carry(exchange: HttpExchange): void {
    this.#exchange = exchange;
    this.#answered = false;
    exchange.carrier = this;
    if (exchange.over) return this.destroy();
    this.#reader = new HttpAnswerReader({ head: (head) => exchange.head(head), body: (bytes) => exchange.body(bytes), end: (reusable) => (this.#reusable = reusable) }, exchange.isHead);
    if (!this.#isFresh) this.#socket.ref();
    this.#socket.write(exchange.text, "latin1");
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  /** @returns false: no more for now */
  #receive(bytes: Buffer): boolean {
    const exchange = this.#exchange;
    try {
      // What nobody asked for would be taken for the next answer.
      if (exchange === undefined) throw new Error("the server sent something that was not asked for");
      this.#answered = true;
      this.#reader!.write(bytes);
    } catch (error) {
      this.#error ??= error;
      this.#socket.destroy();
      return false;
    }
    if (this.#reader!.done) this.#answeredWhole(exchange);
    this.#isPaused = exchange.isFull;
    return !this.#isPaused;
  }

  #answeredWhole(exchange: HttpExchange): void {
    this.#exchange = undefined;
    this.#isFresh = false;
    exchange.carrier = undefined;
    exchange.end();
    if (!this.#reusable) return this.destroy();
    const next = this.#keeper.free();
    if (next !== undefined) this.carry(next);
    else this.#socket.unref();
  }

  #closed(hasEnded: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    let unanswered: HttpExchange | undefined;
    if (exchange !== undefined && !exchange.over) {
      if (this.#error === undefined && hasEnded && this.#answered && this.#reader!.close()) exchange.end();
      else if (!this.#answered && !this.#isFresh && exchange.mayRetry) {
        exchange.mayRetry = false;
        exchange.carrier = undefined;
        unanswered = exchange;
      } else exchange.fail(this.#error ?? new Error("the connection ended before the answer did"));
    }
    this.#keeper.closed(unanswered);
  }
}
