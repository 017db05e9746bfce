import { constants, open, copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TsosError } from "../error/tsos-error.ts";
import { createHasher } from "../hash/hasher.ts";
import type { Hasher } from "../hash/hasher.ts";
import { encodeBase16 } from "../hash/base16.ts";
import { formatHash } from "../hash/hash.ts";
import type { Hash } from "../hash/hash.ts";
import { equalBytes } from "../util/bytes.ts";
import type { FetchSettings } from "./fetch-settings.ts";
import { findNetrcHeader } from "./source/credentials.ts";

export type FetchOptions = {
  readonly settings: FetchSettings;
  /** What the bytes must hash to; a URL that gives others counts as failed. */
  readonly expectedHash?: Hash | undefined;
  /** Gets what came last from a URL that gave other contents than expected. */
  readonly otherTarget?: string | undefined;
  /** How many bytes there must be; more end the transfer at once. */
  readonly size?: number | undefined;
  /** Whether the passwords of the netrc file go to their hosts; default true. */
  readonly useNetrc?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total?: number) => void) | undefined;
};

export type FetchResult = { readonly url: string; readonly size: number };

/** Why one URL gave nothing. */
export type FetchFailure = { readonly url: string; readonly reason: string };

/**
 * Writes what the first working one of `urls` gives to `target`. A broken transfer resumes where it stopped;
 * a URL that keeps failing or gives the wrong bytes is followed by the next one. Nothing is at `target`
 * until all of it is there and its hash is right.
 *
 * @throws TsosError `fetch.failed`, `fetch.offline` when only the network could have given it, or `fetch.hash-mismatch` when what came from every URL that answered was
 * wrong; both list each URL and its failure.
 */
export async function fetchToFile(urls: readonly string[], target: string, options: FetchOptions): Promise<FetchResult> {
  const { settings, signal } = options;
  const part = await partialPath(target, options);
  const transfer = await Transfer.open(part, options);
  const failures: FetchFailure[] = [];
  let wrong: Hash | undefined;
  try {
    for (const url of urls) {
      if (settings.offline === true && !url.startsWith("file:")) {
        failures.push({ url, reason: "not tried" });
        continue;
      }
      const tried: string[] = [];
      // Without a hash nothing would show that the rest of another file was put after the beginning of one.
      if (options.expectedHash === undefined) await transfer.restart();
      for (let attempt = 0; attempt < settings.attempts; attempt++) {
        signal?.throwIfAborted();
        if (attempt > 0) await sleep(settings.retryDelay * 2 ** (attempt - 1), undefined, signal === undefined ? {} : { signal });
        try {
          if (url.startsWith("file:")) await readLocalFile(url, transfer, options);
          else await transferOnce(url, transfer, options);
          const found = transfer.check();
          if (found === undefined) {
            await transfer.finish(target);
            return { url, size: transfer.length };
          }
          if (found.hash !== undefined) wrong = found.hash;
          tried.push(found.reason);
          // A resumed file may have been broken before; once from the start is fair.
          const resumed = transfer.resumed;
          if (!resumed && found.hash !== undefined && options.otherTarget !== undefined) await transfer.copyTo(options.otherTarget);
          await transfer.restart();
          if (!resumed) break;
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          if (error instanceof LocalFailure) throw error.cause;
          tried.push(describeFailure(error));
          if (error instanceof FinalFailure) break;
        }
      }
      failures.push({ url, reason: [...new Set(tried)].join("; then ") });
    }
  } finally {
    await transfer.close();
  }
  const list = failures.map(({ url, reason }) => `\n  ${url}: ${reason}`).join("");
  const subject = urls[0] ?? target;
  if (wrong !== undefined && options.expectedHash !== undefined) {
    throw new TsosError({
      code: "fetch.hash-mismatch",
      message: `what "${subject}" gives is not what is expected: ${formatHash(options.expectedHash, "sri")}, got ${formatHash(wrong, "sri")}${list}`,
      hint: "if the file changed on purpose, put its new hash where the old one stands",
      data: { urls, failures, expected: formatHash(options.expectedHash, "sri"), actual: formatHash(wrong, "sri") },
    });
  }
  if (settings.offline === true && failures.some((failure) => !failure.url.startsWith("file:"))) {
    throw new TsosError({
      code: "fetch.offline",
      message: `"${subject}" is not in the store, and --offline allows no network to fetch it`,
      hint: "run the command once without --offline",
      data: { urls, failures },
    });
  }
  throw new TsosError({
    code: "fetch.failed",
    message: `cannot fetch "${subject}", tried${list === "" ? " nothing: no URL is known" : `:${list}`}`,
    hint: failures.some(({ reason }) => /answered (404|410)$/.test(reason))
      ? "a mirror may have dropped this version for a newer one; TSOS_MIRRORS can name one that keeps old versions"
      : undefined,
    data: { urls, failures },
  });
}

/** No further attempt at this URL would go better. */
class FinalFailure extends Error {}

/** The disk failed, not the network: no other URL helps. */
class LocalFailure extends Error {}

/** A file being received: its length so far and the running hash of that. */
class Transfer {
  length = 0;
  resumed = false;
  private hasher: Hasher | undefined;
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly options: FetchOptions;

  private constructor(file: FileHandle, path: string, options: FetchOptions) {
    this.file = file;
    this.path = path;
    this.options = options;
    this.hasher = options.expectedHash === undefined ? undefined : createHasher(options.expectedHash.algorithm);
  }

  static async open(path: string, options: FetchOptions): Promise<Transfer> {
    const existing = await stat(path).catch(() => undefined);
    const transfer = new Transfer(await open(path, existing === undefined ? "w" : "r+"), path, options);
    if (existing !== undefined && existing.size > 0 && (options.size === undefined || existing.size <= options.size)) {
      for await (const chunk of createReadStream(path)) transfer.hasher?.update(chunk as Uint8Array);
      transfer.length = existing.size;
      transfer.resumed = true;
    }
    return transfer;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.options.size !== undefined && this.length + chunk.length > this.options.size) {
      throw new FinalFailure(`more than the ${this.options.size} bytes that were expected`);
    }
    await this.local("cannot write", async () => {
      for (let offset = 0; offset < chunk.length; ) {
        offset += (await this.file.write(chunk, offset, chunk.length - offset, this.length + offset)).bytesWritten;
      }
    });
    this.hasher?.update(chunk);
    this.length += chunk.length;
    this.options.progress?.(this.length, this.options.size);
  }

  async restart(): Promise<void> {
    await this.local("cannot truncate", () => this.file.truncate(0));
    this.length = 0;
    this.resumed = false;
    this.hasher = this.options.expectedHash === undefined ? undefined : createHasher(this.options.expectedHash.algorithm);
  }

  /** What is wrong with the whole file, if anything is. */
  check(): { readonly reason: string; readonly hash?: Hash } | undefined {
    const { expectedHash, size } = this.options;
    if (expectedHash !== undefined && this.hasher !== undefined) {
      const digest = this.hasher.digest();
      if (equalBytes(digest, expectedHash.digest)) return undefined;
      const hash: Hash = { algorithm: expectedHash.algorithm, digest };
      return { reason: `${this.length} bytes with the hash ${formatHash(hash, "sri")}`, hash };
    }
    return size !== undefined && size !== this.length ? { reason: `${this.length} bytes instead of ${size}` } : undefined;
  }

  async copyTo(target: string): Promise<void> {
    await this.local("cannot copy", async () => {
      await this.file.truncate(this.length);
      await copyFile(this.path, target, constants.COPYFILE_FICLONE);
    });
  }

  async finish(target: string): Promise<void> {
    await this.local("cannot finish", async () => {
      await this.file.truncate(this.length);
      await this.file.close();
      await rename(this.path, target).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "EXDEV") throw error;
        // The folder of unfinished downloads may be on another file system.
        await copyFile(this.path, target);
        await rm(this.path);
      });
    });
  }

  private async local(what: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (cause) {
      throw new LocalFailure(what, { cause });
    }
  }

  async close(): Promise<void> {
    await this.file.close().catch(() => undefined);
    // An empty file is nothing to resume; without a folder of its own, neither is another.
    if (this.length === 0 || this.options.settings.partialFolder === undefined) await rm(this.path, { force: true });
  }
}

async function partialPath(target: string, { settings, expectedHash }: FetchOptions): Promise<string> {
  if (settings.partialFolder === undefined || expectedHash === undefined) return `${target}.part`;
  await mkdir(settings.partialFolder, { recursive: true });
  // The target's name keeps apart two that fetch the same bytes at once.
  return join(settings.partialFolder, `${expectedHash.algorithm}-${encodeBase16(expectedHash.digest)}-${basename(target)}`);
}

async function readLocalFile(url: string, transfer: Transfer, { signal }: FetchOptions): Promise<void> {
  await transfer.restart();
  const source = createReadStream(fileURLToPath(url), signal === undefined ? {} : { signal });
  try {
    for await (const chunk of source) await transfer.write(chunk as Uint8Array);
  } catch (error) {
    if (error instanceof LocalFailure) throw error;
    throw new FinalFailure(describeFailure(error));
  }
}

async function transferOnce(url: string, transfer: Transfer, options: FetchOptions): Promise<void> {
  const { settings, size, signal, progress } = options;
  if (size !== undefined && transfer.length === size) return;
  // The HTTP client is a megabyte of code: loaded when the first file is fetched.
  const { getDispatcher } = await import("./dispatcher.ts");
  const { request, dispatcher } = getDispatcher(settings);
  const from = transfer.length;
  // Identity: the hash is of the file, not of what a server makes of it on the way.
  const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "tsos", accept: "*/*" };
  if (from > 0) headers["range"] = `bytes=${from}-`;
  // Of a redirect to another origin the client leaves it out.
  const netrc = options.useNetrc === false ? undefined : findNetrcHeader(settings.netrc ?? [], new URL(url).hostname);
  if (netrc !== undefined) headers["authorization"] = netrc;
  const response = await request(url, { dispatcher, headers, ...(signal === undefined ? {} : { signal }) });
  const status = response.statusCode;
  if (status !== 200 && status !== 206) {
    await response.body.dump().catch(() => undefined);
    if (status === 416 && from > 0) await transfer.restart();
    const reason = `the server answered ${status}`;
    // What a client did wrong stays wrong, but for time limits, "too many" and a range too far.
    if (status >= 400 && status < 500 && ![408, 416, 425, 429].includes(status)) throw new FinalFailure(reason);
    throw new Error(reason);
  }
  if (from > 0 && !(status === 206 && rangeStart(response.headers["content-range"]) === from)) {
    await transfer.restart();
    if (status === 206) {
      await response.body.dump().catch(() => undefined);
      throw new Error("the server answered with another range");
    }
  }
  const length = Number(response.headers["content-length"]);
  const end = Number.isFinite(length) ? transfer.length + length : undefined;
  progress?.(transfer.length, size ?? end);
  for await (const chunk of response.body) await transfer.write(chunk as Uint8Array);
  if (end !== undefined && transfer.length < end) throw new Error(`the connection ended after ${transfer.length} of ${end} bytes`);
  if (size !== undefined && transfer.length < size) throw new Error(`the transfer ended after ${transfer.length} of ${size} bytes`);
}

function rangeStart(header: string | string[] | undefined): number | undefined {
  const match = typeof header === "string" ? /^bytes (\d+)-/.exec(header) : null;
  return match === null ? undefined : Number(match[1]);
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  if (errors.length > 0) return [...new Set(errors.map(describeFailure))].join(", ");
  const cause = error.cause instanceof Error && error.cause.message !== "" ? `: ${error.cause.message}` : "";
  return `${error.message || error.name}${cause}`;
}
