import { createWriteStream } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TsosError } from "../../error/tsos-error.ts";
import { basicAuthorization, findNetrcHeader } from "./credentials.ts";
import type { SourceContext } from "./scheme.ts";
import { hidePassword } from "./source-url.ts";

export type DownloadOptions = {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the server called the version that is already here. */
  readonly etag?: string | undefined;
};

export type Download =
  /** The version that is here is still the server's. */
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "new";
      readonly etag: string;
      /** Where the answer came from in the end, after redirects; without credentials. */
      readonly url: string;
      /** What the server calls this very version, by a `Link` header. */
      readonly immutableUrl?: string | undefined;
    };

const MAX_REDIRECTS = 10;

/**
 * Writes what a URL gives (`http`, `https` or `file`) to `target`. Credentials (the URL's own, `headers`, those of the
 * netrc file) go to the host that they are for and to no other that a redirect leads to.
 *
 * @throws TsosError `source.download-failed`, `source.offline`
 */
export async function downloadFile(url: string, target: string, options: DownloadOptions, context: SourceContext): Promise<Download> {
  const { settings, signal } = context;
  if (url.startsWith("file:")) {
    try {
      await copyFile(fileURLToPath(new URL(url.replace(/[?#].*$/s, ""))), target);
    } catch (cause) {
      throw failed(url, cause instanceof Error && "code" in cause && cause.code === "ENOENT" ? `Could not read a file:// file (37) Could not open file ${fileURLToPath(url.replace(/[?#].*$/s, ""))}` : String(cause), cause);
    }
    return { kind: "new", etag: "", url };
  }
  if (settings.offline === true) {
    throw new TsosError({ code: "source.offline", message: `"${hidePassword(url)}" was never fetched, and --offline allows no network`, hint: "run the command once without --offline", data: { url: hidePassword(url) } });
  }
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await downloadOnce(url, target, options, context);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      await rm(target, { force: true });
      const isFinal = error instanceof TsosError || attempt >= settings.attempts;
      if (isFinal) throw error instanceof TsosError ? error : failed(url, describe(error), error);
      await sleep(settings.retryDelay * 2 ** (attempt - 1), undefined, signal === undefined ? {} : { signal });
    }
  }
}

async function downloadOnce(url: string, target: string, options: DownloadOptions, context: SourceContext): Promise<Download> {
  const { settings, signal, progress } = context;
  const { getDispatcher } = await import("../dispatcher.ts");
  const { request, direct } = getDispatcher(settings);
  const first = parse(url);
  let current = first;
  for (let redirects = 0; ; redirects++) {
    const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "tsos", accept: "*/*" };
    const netrc = findNetrcHeader(settings.netrc ?? [], current.hostname);
    if (netrc !== undefined) headers["authorization"] = netrc;
    if (current.username !== "") headers["authorization"] = basicAuthorization(decodeURIComponent(current.username), decodeURIComponent(current.password));
    if (current.origin === first.origin) {
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
    }
    if (options.etag !== undefined && options.etag !== "") headers["if-none-match"] = options.etag;
    const response = await request(withoutUser(current), { dispatcher: direct, headers, ...(signal === undefined ? {} : { signal }) });
    const status = response.statusCode;
    if ([301, 302, 303, 307, 308].includes(status)) {
      await response.body.dump().catch(() => undefined);
      const location = single(response.headers["location"]);
      if (location === undefined || redirects >= MAX_REDIRECTS) throw failed(url, location === undefined ? "a redirect that leads nowhere" : `more than ${MAX_REDIRECTS} redirects`);
      const next = parse(location, current);
      if (current.protocol === "https:" && next.protocol !== "https:") throw failed(url, `the server redirects from https to "${hidePassword(next.href)}"`);
      current = next;
      continue;
    }
    if (status === 304) {
      await response.body.dump().catch(() => undefined);
      return { kind: "unchanged" };
    }
    if (status !== 200) {
      await response.body.dump().catch(() => undefined);
      // What the client did wrong stays wrong, but for time limits and "too many".
      if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) throw failed(url, `the server answered ${status}`, undefined, status);
      throw new Error(`the server answered ${status}`);
    }
    const length = Number(response.headers["content-length"]);
    const total = Number.isFinite(length) ? length : undefined;
    let done = 0;
    const counted = async function* (): AsyncIterable<Uint8Array> {
      for await (const chunk of response.body) {
        done += (chunk as Uint8Array).length;
        progress?.(hidePassword(url), done, total);
        yield chunk as Uint8Array;
      }
    };
    await pipeline(counted(), createWriteStream(target), signal === undefined ? {} : { signal });
    if (total !== undefined && done < total) throw new Error(`the connection ended after ${done} of ${total} bytes`);
    return { kind: "new", etag: single(response.headers["etag"]) ?? "", url: withoutUser(current).href, immutableUrl: findImmutableUrl(response.headers["link"], current) };
  }
}

/** `Link: <URL>; rel="immutable"`. */
function findImmutableUrl(header: string | string[] | undefined, base: URL): string | undefined {
  for (const line of header === undefined ? [] : [header].flat()) {
    for (const [, url = "", parameters = ""] of line.matchAll(/<([^>]*)>((?:\s*;\s*[^,;]+)*)/g)) {
      if (/;\s*rel\s*=\s*"?immutable"?/.test(parameters)) return new URL(url, base).href;
    }
  }
  return undefined;
}

function parse(url: string, base?: URL): URL {
  let parsed: URL;
  try {
    parsed = new URL(url, base);
  } catch (cause) {
    throw failed(url, "that is no URL", cause);
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") throw failed(url, `"${parsed.protocol}" is neither http nor https`);
  return parsed;
}

function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = "";
  plain.password = "";
  plain.hash = "";
  return plain;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? (error.errors as readonly unknown[]).map(describe).join(", ") : error.message;
  return inner || error.name;
}

function failed(url: string, reason: string, cause?: unknown, status?: number): TsosError {
  return new TsosError({
    code: "source.download-failed",
    message: `unable to download '${hidePassword(url)}': ${reason}`,
    hint: status === 401 || status === 403 || status === 404 ? "is it private? TSOS_ACCESS_TOKENS (or access-tokens of nix.conf) and a netrc file give access" : undefined,
    data: { url: hidePassword(url), reason, status },
    cause,
  });
}
