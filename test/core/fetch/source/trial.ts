import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { plainFetchSettings, type FetchSettings } from "../../../../core/fetch/fetch-settings.ts";
import { openSourceCache } from "../../../../core/fetch/source/source-cache.ts";
import type { SourceContext } from "../../../../core/fetch/source/scheme.ts";

/** A folder for the length of a test, and what fetches into it. */
export type Trial = Disposable & {
  readonly folder: string;
  readonly warnings: string[];
  context(more?: Partial<Omit<SourceContext, "settings">> & { readonly settings?: Partial<FetchSettings> }): SourceContext;
  /** A repository with one commit of these files. */
  repository(name: string, files: Readonly<Record<string, string>>): string;
  git(folder: string, ...args: readonly string[]): string;
};

export function openTrial(): Trial {
  const folder = mkdtempSync(join(tmpdir(), "tsos-source-"));
  const cache = openSourceCache(join(folder, "cache"));
  const warnings: string[] = [];
  const git: Trial["git"] = (at, ...args) => execFileSync("git", ["-C", at, ...args], { encoding: "utf8", env: gitEnvironment, stdio: ["ignore", "pipe", "pipe"] }).trim();
  return {
    folder,
    warnings,
    git,
    context: ({ settings, ...more } = {}) => ({
      settings: { ...plainFetchSettings, attempts: 1, retryDelay: 1, ...settings },
      cache,
      env: gitEnvironment,
      now: () => 1_700_000_000_000,
      warn: (message) => void warnings.push(message),
      ...more,
    }),
    repository(name, files) {
      const path = join(folder, name);
      writeFiles(path, files);
      git(path, "init", "--quiet", "--initial-branch=main");
      git(path, "add", "--all");
      git(path, "commit", "--quiet", "--message=one");
      return path;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Nothing of the user's own settings, and times that stand still. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nowhere",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@a.example",
  GIT_AUTHOR_DATE: "@1700000000 +0000",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@a.example",
  GIT_COMMITTER_DATE: "@1700000000 +0000",
  GIT_ALLOW_PROTOCOL: "file",
};

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
}

export type Entry = Partial<Header> & { readonly name: string; readonly contents?: string };

/** A tar archive, gzipped. */
export async function makeTar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { contents, ...header } of entries) archive.entry({ mtime: new Date(1_650_000_000_000), ...header }, contents ?? "");
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return gzipSync(Buffer.concat(parts));
}

export type Answer = { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer };

/** A server on the loopback; bodies have ETags. */
export async function serve(answer: (path: string, request: IncomingMessage) => Answer | undefined): Promise<AsyncDisposable & { readonly url: string; readonly requests: { readonly path: string; readonly status: number; readonly authorization: string | undefined }[] }> {
  const requests: { path: string; status: number; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const { status = 200, headers = {}, body = "" } = answer(path, request) ?? { status: 404 };
    const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
    const isSame = status === 200 && request.headers["if-none-match"] === etag;
    requests.push({ path, status: isSame ? 304 : status, authorization: request.headers.authorization });
    response.writeHead(isSame ? 304 : status, { etag, ...headers });
    response.end(isSame ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
