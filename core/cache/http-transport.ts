import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import type { FetchSettings } from "../fetch/fetch-settings.ts";
import { basicAuthorization, findNetrcHeader } from "../fetch/source/credentials.ts";
import type { CacheTransport } from "./cache-transport.ts";

/** Headers for one request, made from its method and whole URL: a signature, a token. */
export type Authorize = (request: { readonly method: string; readonly url: URL }) => Readonly<Record<string, string>>;

export type HttpTransportOptions = {
  readonly settings: FetchSettings;
  readonly authorize?: Authorize | undefined;
};

/** Connections to one cache: as many as Nix opens by default. */
const CONNECTIONS = 25;

/**
 * A cache behind HTTP, `https://cache.example.org/path`. A user and password in the URL are sent to that server and
 * shown nowhere; without one, what the netrc file has for its host is sent.
 *
 * An answer of 403 counts as "there is none", as for Nix: buckets that may not be listed answer so.
 */
export async function createHttpTransport(address: URL, { settings, authorize }: HttpTransportOptions): Promise<CacheTransport> {
  const { getDispatcher } = await import("../fetch/dispatcher.ts");
  const base = new URL(address);
  const credentials =
    base.username !== ""
      ? basicAuthorization(decodeURIComponent(base.username), decodeURIComponent(base.password))
      : authorize === undefined
        ? findNetrcHeader(settings.netrc ?? [], base.hostname)
        : undefined;
  base.username = "";
  base.password = "";
  base.search = "";
  const url = base.href.replace(/\/+$/, "");
  const own: FetchSettings = { ...settings, connections: Math.max(settings.connections, CONNECTIONS) };
  const { request, dispatcher } = getDispatcher(own);

  /** One answered request; network failures and the server's own are tried again. */
  async function send(method: "GET" | "HEAD" | "PUT", path: string, options: { readonly headers?: Record<string, string>; readonly body?: () => Uint8Array | NodeJS.ReadableStream; readonly signal?: AbortSignal | undefined }) {
    const target = new URL(`${url}/${path.split("/").map(encodeURIComponent).join("/")}`);
    const { signal } = options;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      let reason: string;
      let cause: unknown;
      try {
        const response = await request(target, {
          method,
          dispatcher,
          headers: {
            "user-agent": "tsos",
            ...(credentials === undefined ? {} : { authorization: credentials }),
            ...authorize?.({ method, url: target }),
            ...options.headers,
          },
          ...(options.body === undefined ? {} : { body: options.body() as Uint8Array }),
          ...(signal === undefined ? {} : { signal }),
        });
        const { statusCode } = response;
        if (statusCode < 300 || statusCode === 404 || statusCode === 410 || (statusCode === 403 && method !== "PUT")) return response;
        await response.body.dump().catch(() => undefined);
        reason = `the server answered ${statusCode}`;
        // What a client did wrong stays wrong, but for time limits and "too many".
        if (statusCode < 500 && ![408, 425, 429].includes(statusCode)) throw failed(target, reason, undefined);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof TsosError) throw error;
        reason = describe(error);
        cause = error;
      }
      if (attempt + 1 >= settings.attempts) throw failed(target, reason, cause);
      await sleep(settings.retryDelay * 2 ** attempt, undefined, signal === undefined ? {} : { signal });
    }
  }

  function failed(target: URL, reason: string, cause: unknown): TsosError {
    return new TsosError({ code: "cache.unreachable", message: `cannot use the cache "${url}": ${target.href}: ${reason}`, data: { url, reason }, cause });
  }

  return {
    url,
    async read(path, { signal, offset = 0 }) {
      const response = await send("GET", path, { signal, headers: { "accept-encoding": "identity", ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) } });
      if (response.statusCode >= 400) {
        await response.body.dump().catch(() => undefined);
        return undefined;
      }
      const from = response.statusCode === 206 ? Number(/^bytes (\d+)-/.exec(String(response.headers["content-range"]))?.[1] ?? Number.NaN) : 0;
      const length = response.headers["content-length"] === undefined ? undefined : Number(response.headers["content-length"]);
      const body = from === offset ? response.body : skip(response.body, offset - from);
      const size = length === undefined || !Number.isSafeInteger(length) ? undefined : length - (offset - from);
      return { size, body: complete(body, size, path) };
    },
    async exists(path, signal) {
      const response = await send("HEAD", path, { signal });
      await response.body.dump().catch(() => undefined);
      return response.statusCode < 300;
    },
    async write(path, contents, { contentType, signal }) {
      const size = contents instanceof Uint8Array ? contents.length : contents.size;
      // Small files as a whole, so that they can be sent again as one buffer.
      const small = contents instanceof Uint8Array ? contents : size <= 1 << 20 ? await readFile(contents.file) : undefined;
      const response = await send("PUT", path, {
        signal,
        headers: { "content-type": contentType, "content-length": String(size) },
        body: () => small ?? createReadStream((contents as { readonly file: string }).file),
      });
      await response.body.dump().catch(() => undefined);
      if (response.statusCode >= 400) throw failed(new URL(`${url}/${path}`), `the server answered ${response.statusCode}`, undefined);
    },
    async [Symbol.asyncDispose]() {
      // The pool belongs to the settings made here; idle connections would keep nothing alive, but memory.
      await dispatcher.close().catch(() => undefined);
    },
  };

  async function* complete(body: AsyncIterable<Uint8Array>, size: number | undefined, path: string): AsyncIterable<Uint8Array> {
    let seen = 0;
    for await (const chunk of body) {
      seen += chunk.length;
      yield chunk;
    }
    if (size !== undefined && seen < size) throw failed(new URL(`${url}/${path}`), `the connection ended after ${seen} of ${size} bytes`, undefined);
  }
}

async function* skip(body: AsyncIterable<Uint8Array>, count: number): AsyncIterable<Uint8Array> {
  let left = count;
  for await (const chunk of body) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield chunk.subarray(left);
      left = 0;
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  if (errors.length > 0) return [...new Set(errors.map(describe))].join(", ");
  return error.message || error.name;
}
