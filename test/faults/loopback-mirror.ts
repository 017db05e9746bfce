import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";

export type LoopbackMirror = AsyncDisposable & {
  /** For the environment of tsos. */
  readonly TSOS_MIRRORS: string;
  /** What each answer is slowed down to; undefined is as fast as it goes. */
  bytesPerSecond: number | undefined;
  requests: number;
};

/**
 * `mirror://debian/…` on this machine's loopback: `files`, by their paths, and with `upstream` whatever the machine's
 * own mirrors have, fetched once and kept in memory.
 */
export async function startLoopbackMirror(options: { readonly files?: ReadonlyMap<string, Buffer>; readonly upstream?: boolean }): Promise<LoopbackMirror> {
  const kept = new Map<string, Promise<Buffer | undefined>>([...(options.files ?? [])].map(([path, bytes]) => [path, Promise.resolve(bytes)]));
  const bases = options.upstream === true ? ((await loadFetchSettings()).mirrors["debian"] ?? []) : [];
  const find = async (path: string): Promise<Buffer | undefined> => {
    for (const base of bases) {
      const bytes = await read(`${base}/${path}`).catch(() => undefined);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  };
  const server = createServer((request, response) => {
    mirror.requests++;
    const path = decodeURIComponent(request.url!.replace(/^\/debian\//, ""));
    let bytes = kept.get(path);
    if (bytes === undefined) kept.set(path, (bytes = find(path)));
    void bytes.then((found) => {
      if (found === undefined) {
        kept.delete(path);
        response.writeHead(404).end();
      } else void answer(response, found, request.headers.range);
    });
  });
  const answer = async (response: ServerResponse, bytes: Buffer, range: string | undefined): Promise<void> => {
    const from = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const body = bytes.subarray(from);
    response.on("error", () => {});
    response.writeHead(from === 0 ? 200 : 206, { "content-length": body.length, "accept-ranges": "bytes", etag: '"1"', ...(from === 0 ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }) });
    const rate = mirror.bytesPerSecond;
    if (rate === undefined) return void response.end(body);
    const step = Math.max(1, Math.ceil(rate / 50));
    for (let at = 0; at < body.length && !response.destroyed; at += step) {
      response.write(body.subarray(at, at + step));
      await sleep(20);
    }
    response.end();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const mirror: LoopbackMirror = {
    TSOS_MIRRORS: `debian=http://127.0.0.1:${port}/debian`,
    bytesPerSecond: undefined,
    requests: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return mirror;
}

async function read(url: string): Promise<Buffer | undefined> {
  const body = url.startsWith("file:") ? createReadStream(fileURLToPath(url)) : await fetch(url).then((response) => (response.ok && response.body !== null ? Readable.fromWeb(response.body as never) : undefined));
  if (body === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
