import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { TsosError } from "../error/tsos-error.ts";
import { formatHash } from "../hash/hash.ts";
import { formatRealisation, parseOutputId, signRealisation } from "../narinfo/realisation.ts";
import { formatNarInfo, narInfoFingerprint, type NarInfo } from "../narinfo/narinfo.ts";
import { parseSignature, signFingerprint, type SecretKey } from "../narinfo/signature.ts";
import type { ValidPathInfo } from "../store/path-info.ts";
import type { LocalStore } from "../store/store.ts";
import { storePathHash, type StorePath } from "../store-path/store-path.ts";

export type ServeOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What a client must say, as `Authorization: Bearer TOKEN` or as the password of Basic; anybody may read by default. */
  readonly token?: string | undefined;
  /** Keys that sign what is served. */
  readonly secretKeys?: readonly SecretKey[] | undefined;
  /** Lower is asked first by clients. Default 30. */
  readonly priority?: number | undefined;
  /** Finds the log of a derivation's build. */
  readonly findLog?: ((derivation: StorePath) => Promise<{ readonly file: string; readonly compression: string } | undefined>) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
};

export type CacheServer = AsyncDisposable & { readonly url: string };

const HASH_PART = /^[0-9abcdfghijklmnpqrsvwxyz]{32}$/;
const OUTPUT_ID = /^sha256:[0-9a-f]{64}![A-Za-z0-9+\-._?=]+$/;

/** Paths whose description is remembered with its signatures. */
const MAX_REMEMBERED = 10_000;

/**
 * A local store as a binary cache over HTTP, for tsos and Nix alike: `/nix-cache-info`, `/HASH.narinfo`,
 * `/nar/….nar` (packed with gzip on its way where the client takes that), `/log/NAME.drv`.
 */
export async function serveCache(store: LocalStore, options: ServeOptions): Promise<CacheServer> {
  const descriptions = new Map<string, string>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500).end();
      else response.destroy();
      // A client that went away is no error of this server.
      if (!(error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE")) options.onError?.(error);
    });
  });
  // A client that sends its request byte by byte holds a connection for no longer than this.
  server.headersTimeout = 20_000;
  server.requestTimeout = 60_000;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD") return end(response, 405, "only GET and HEAD\n", { allow: "GET, HEAD" });
    if (options.token !== undefined && !isAllowed(request, options.token)) return end(response, 401, "a token is needed\n", { "www-authenticate": 'Basic realm="tsos"' });
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/nix-cache-info") return end(response, 200, `StoreDir: ${store.storeDir}\nWantMassQuery: 1\nPriority: ${options.priority ?? 30}\n`, { "content-type": "text/x-nix-cache-info" });
    const narInfo = /^\/([^/]+)\.narinfo$/.exec(path)?.[1];
    if (narInfo !== undefined) {
      const info = await find(narInfo);
      return info === undefined ? end(response, 404, "404\n") : end(response, 200, describe(info), { "content-type": "text/x-nix-narinfo" });
    }
    const [, hashPart, narHash] = /^\/nar\/([^/-]+)-([^/-]+)\.nar$/.exec(path) ?? [];
    if (hashPart !== undefined) {
      const info = await find(hashPart);
      // The name holds the contents' hash: what a client was told of before stays true or is gone.
      if (info === undefined || formatHash(info.narHash, "nix32", false) !== narHash) return end(response, 404, "404\n");
      return sendNar(request, response, info);
    }
    const id = /^\/realisations\/([^/]+)\.doi$/.exec(decodeURIComponent(path))?.[1];
    if (id !== undefined) {
      const realisation = OUTPUT_ID.test(id) ? await store.findRealisation(parseOutputId(id)) : undefined;
      return realisation === undefined ? end(response, 404, "404\n") : end(response, 200, formatRealisation(signRealisation(realisation, options.secretKeys ?? [])), { "content-type": "application/json" });
    }
    const log = /^\/log\/([^/]+\.drv)$/.exec(path)?.[1];
    if (log !== undefined && options.findLog !== undefined && HASH_PART.test(log.slice(0, 32))) {
      const derivation = await store.findPathFromHashPart(log.slice(0, 32));
      const found = derivation === undefined || derivation !== log ? undefined : await options.findLog(derivation);
      if (found !== undefined) return end(response, 200, await readFile(found.file), { "content-type": "text/plain; charset=utf-8", ...(found.compression === "none" ? {} : { "content-encoding": found.compression }) });
    }
    return end(response, 404, "404\n");
  }

  async function find(hashPart: string): Promise<ValidPathInfo | undefined> {
    const path = HASH_PART.test(hashPart) ? await store.findPathFromHashPart(hashPart) : undefined;
    return path === undefined ? undefined : store.findPathInfo(path);
  }

  function describe(info: ValidPathInfo): string {
    const known = descriptions.get(info.path);
    if (known !== undefined) return known;
    const described: NarInfo = {
      path: info.path,
      url: `nar/${storePathHash(info.path)}-${formatHash(info.narHash, "nix32", false)}.nar`,
      compression: "none",
      fileHash: info.narHash,
      fileSize: info.narSize,
      narHash: info.narHash,
      narSize: info.narSize,
      references: info.references,
      deriver: info.deriver,
      signatures: info.signatures.map(parseSignature),
      contentAddress: info.contentAddress,
    };
    const fingerprint = narInfoFingerprint(described, store.storeDir);
    const own = (options.secretKeys ?? []).map((key) => signFingerprint(fingerprint, key));
    const others = described.signatures.filter((signature) => !own.some((mine) => mine.keyName === signature.keyName));
    const text = formatNarInfo({ ...described, signatures: [...others, ...own] }, store.storeDir);
    if (descriptions.size >= MAX_REMEMBERED) descriptions.clear();
    // Without a key of one's own the signatures may still change; then there is nothing to save either.
    if (own.length > 0) descriptions.set(info.path, text);
    return text;
  }

  async function sendNar(request: IncomingMessage, response: ServerResponse, info: ValidPathInfo): Promise<void> {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const from = range === undefined ? 0 : Number(range);
    if (from >= info.narSize && from > 0) return end(response, 416, "", { "content-range": `bytes */${info.narSize}` });
    const packs = from === 0 && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
    response.writeHead(from > 0 ? 206 : 200, {
      "content-type": "application/x-nix-nar",
      ...(packs ? { "content-encoding": "gzip" } : { "content-length": String(info.narSize - from) }),
      ...(from > 0 ? { "content-range": `bytes ${from}-${info.narSize - 1}/${info.narSize}` } : { "accept-ranges": "bytes" }),
    });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const nar = Readable.from(skip(store.narFromPath(info.path), from), { objectMode: false });
    if (packs) await pipeline(nar, createGzip({ level: constants.Z_BEST_SPEED }), response);
    else await pipeline(nar, response);
  }

  server.listen(options.port, options.host);
  await Promise.race([once(server, "listening"), once(server, "error").then(([error]) => Promise.reject(error as Error))]).catch((cause: unknown) => {
    throw new TsosError({ code: "cache.cannot-listen", message: `cannot listen on ${options.host}:${options.port}: ${cause instanceof Error ? cause.message : String(cause)}`, hint: "another program may use this port", cause });
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close").catch(() => undefined);
    },
  };
}

function end(response: ServerResponse, status: number, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function isAllowed(request: IncomingMessage, token: string): boolean {
  const [scheme, value = ""] = (request.headers.authorization ?? "").split(" ");
  const given = scheme?.toLowerCase() === "bearer" ? value : scheme?.toLowerCase() === "basic" ? Buffer.from(value, "base64").toString().replace(/^[^:]*:/, "") : "";
  // Of equal length, and compared in equal time.
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

async function* skip(source: AsyncIterable<Uint8Array>, count: number): AsyncIterable<Uint8Array> {
  let left = count;
  for await (const chunk of source) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}
