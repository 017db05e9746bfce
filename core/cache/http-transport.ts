import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import type { FetchDispatcher } from "../fetch/dispatcher.ts";
import type { FetchSettings } from "../fetch/fetch-settings.ts";
import { HttpClient, receiveWhole, type HttpAnswer, type WholeAnswer } from "../fetch/http-client.ts";
import { basicAuthorization, findNetrcHeader } from "../fetch/source/credentials.ts";
import type { CacheTransport } from "./cache-transport.ts";

/** Headers for one request, made from its method and whole URL: a signature, a token. */
export type Authorize = (request: { readonly method: string; readonly url: URL }) => Readonly<Record<string, string>>;

export type HttpTransportOptions = {
  readonly settings: FetchSettings;
  readonly authorize?: Authorize | undefined;
};

/** What stands in an address as it is. */
const PLAIN_PATH = /^[a-zA-Z0-9._\/-]*$/;

/** Connections to one cache: as many as Nix opens by default. */
const CONNECTIONS = 25;

/**
 * A cache behind HTTP, `https://cache.example.org/path`. A user and password in the URL are sent to that server and
 * shown nowhere; without one, what the netrc file has for its host is sent.
 *
 * An answer of 403 counts as "there is none", as for Nix: buckets that may not be listed answer so.
 */
export async function createHttpTransport(address: URL, { settings, authorize }: HttpTransportOptions): Promise<CacheTransport> {
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
  const plainClient = new HttpClient(own);
  const { http, https } = settings.proxies;
  const isProxied = ((base.protocol === "https:" ? https : http) ?? "") !== "";
  /** A megabyte of code: for what is sent, and by way of a proxy. */
  let client: Promise<FetchDispatcher> | undefined;
  const getClient = (): Promise<FetchDispatcher> => (client ??= import("../fetch/dispatcher.ts").then(({ getDispatcher }) => getDispatcher(own)));

  function headersOf(method: string, target: URL, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { "user-agent": "tsos", ...(credentials === undefined ? {} : { authorization: credentials }), ...authorize?.({ method, url: target }), ...more };
  }

  async function ask(method: "GET" | "HEAD", target: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    if (!isProxied) return plainClient.request({ method, url: target, headers, signal });
    const { request, dispatcher } = await getClient();
    const { statusCode, headers: given, body } = await request(target, { method, dispatcher, headers, ...(signal === undefined ? {} : { signal }) });
    return {
      status: statusCode,
      header: (name) => {
        const value = given[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
      body,
      whole: async (limit) => {
        const bytes = await body.bytes();
        if (bytes.length > limit) throw new TsosError({ code: "fetch.too-long", message: `"${target.href}" is longer than ${limit} bytes` });
        return bytes;
      },
      discard: () => void body.dump().catch(() => undefined),
    };
  }

  async function askWhole(target: URL, headers: Readonly<Record<string, string>>, limit: number, signal: AbortSignal | undefined): Promise<WholeAnswer> {
    if (!isProxied) return plainClient.requestWhole({ method: "GET", url: target, headers, signal }, limit);
    return receiveWhole(await ask("GET", target, headers, signal), limit);
  }

  async function put(target: URL, headers: Readonly<Record<string, string>>, body: Uint8Array | NodeJS.ReadableStream, signal: AbortSignal | undefined): Promise<number> {
    const { request, dispatcher } = await getClient();
    const response = await request(target, { method: "PUT", dispatcher, headers, body: body as Uint8Array, ...(signal === undefined ? {} : { signal }) });
    await response.body.dump().catch(() => undefined);
    return response.statusCode;
  }

  const targetOf = (path: string): URL => new URL(`${url}/${PLAIN_PATH.test(path) ? path : path.split("/").map(encodeURIComponent).join("/")}`);

  /** What `attempt` gives once its status says yes or that there is none; network failures and the server's own are tried again. */
  async function persist<T>(target: URL, attempt: () => Promise<T>, check: (answer: T) => { readonly status: number; readonly discard: () => void }, isWriting: boolean, signal: AbortSignal | undefined): Promise<T> {
    for (let attempts = 0; ; attempts++) {
      signal?.throwIfAborted();
      let reason: string;
      let cause: unknown;
      try {
        const answer = await attempt();
        const { status, discard } = check(answer);
        if (status < 300 || status === 404 || status === 410 || (status === 403 && !isWriting)) return answer;
        discard();
        reason = `the server answered ${status}`;
        // What a client did wrong stays wrong, but for time limits and "too many".
        if (status < 500 && ![408, 425, 429].includes(status)) throw failed(target, reason, undefined);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof TsosError) throw error;
        reason = describe(error);
        cause = error;
      }
      if (attempts + 1 >= settings.attempts) throw failed(target, reason, cause);
      await sleep(settings.retryDelay * 2 ** attempts, undefined, signal === undefined ? {} : { signal });
    }
  }

  /** @returns undefined where the server has no such file */
  async function get(method: "GET" | "HEAD", path: string, more: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpAnswer | undefined> {
    const target = targetOf(path);
    const answer = await persist(target, () => ask(method, target, headersOf(method, target, more), signal), (given) => given, false, signal);
    if (answer.status < 400) return answer;
    answer.discard();
    return undefined;
  }

  function failed(target: URL, reason: string, cause: unknown): TsosError {
    return new TsosError({ code: "cache.unreachable", message: `cannot use the cache "${url}": ${target.href}: ${reason}`, data: { url, reason }, cause });
  }

  return {
    url,
    async read(path, { signal, offset = 0 }) {
      const answer = await get("GET", path, { "accept-encoding": "identity", ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) }, signal);
      if (answer === undefined) return undefined;
      const from = answer.status === 206 ? Number(/^bytes (\d+)-/.exec(answer.header("content-range") ?? "")?.[1] ?? Number.NaN) : 0;
      const given = answer.header("content-length");
      const length = given === undefined ? undefined : Number(given);
      const body = from === offset ? answer.body : skip(answer.body, offset - from);
      const size = length === undefined || !Number.isSafeInteger(length) ? undefined : length - (offset - from);
      return { size, body: complete(body, size, path) };
    },
    async readWhole(path, { signal, limit }) {
      const target = targetOf(path);
      const headers = headersOf("GET", target, { "accept-encoding": "identity" });
      const { status, bytes, failure } = await persist(target, () => askWhole(target, headers, limit, signal), (given) => ({ status: given.status, discard: () => {} }), false, signal);
      if (status >= 400) return undefined;
      if (failure !== undefined) {
        if (signal?.aborted) throw signal.reason;
        if (failure instanceof TsosError && failure.code === "fetch.too-long") throw failure;
        throw new TsosError({ code: "cache.broken-transfer", message: `the cache "${url}" did not give all of "${path}": ${describe(failure)}`, data: { url }, cause: failure });
      }
      if (status !== 200) throw failed(target, `the server answered ${status}`, undefined);
      return bytes;
    },
    async exists(path, signal) {
      const answer = await get("HEAD", path, {}, signal);
      answer?.discard();
      return answer !== undefined;
    },
    async write(path, contents, { contentType, signal }) {
      const size = contents instanceof Uint8Array ? contents.length : contents.size;
      // Small files as a whole, so that they can be sent again as one buffer.
      const small = contents instanceof Uint8Array ? contents : size <= 1 << 20 ? await readFile(contents.file) : undefined;
      const target = targetOf(path);
      const headers = { "content-type": contentType, "content-length": String(size) };
      const status = await persist(
        target,
        () => put(target, headersOf("PUT", target, headers), small ?? createReadStream((contents as { readonly file: string }).file), signal),
        (given) => ({ status: given, discard: () => {} }),
        true,
        signal,
      );
      if (status >= 400) throw failed(target, `the server answered ${status}`, undefined);
    },
    async [Symbol.asyncDispose]() {
      plainClient[Symbol.dispose]();
      // The pool belongs to the settings made here; idle connections would keep nothing alive, but memory.
      await (await client)?.dispatcher.close().catch(() => undefined);
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
