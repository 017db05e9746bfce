import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdtempSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { copyPaths } from "../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../core/cache/open-binary-cache.ts";
import { plainFetchSettings } from "../../core/fetch/fetch-settings.ts";
import { removeTree } from "../../core/store/file-tree.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import type { Benchmark, Figures } from "./run.ts";
import { hasProgram } from "../core/store/has-program.ts";

const PATHS = 500;
const run = promisify(execFile);

async function measure(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now();
  await run(command, [...args], { env, maxBuffer: 1 << 24 });
  return performance.now() - start;
}

/** A cache of 500 paths that refer to one another, behind HTTP on loopback; both clients as whole processes. */
async function copy(compression: "none" | "zstd" | "gzip"): Promise<Figures> {
  const folder = mkdtempSync(path.join(process.env["TSOS_BENCH_DIR"] ?? tmpdir(), "tsos-bench-"));
  try {
    const paths: StorePath[] = [];
    {
      await using store = await openLocalStore({ root: `${folder}/source` });
      await using cache = await openBinaryCache(`file://${folder}/cache?compression=${compression}`, { settings: plainFetchSettings, environment: {} });
      for (let i = 0; i < PATHS; i++) paths.push(await store.addTextToStore(`path-${i}`, `${randomBytes(12_000).toString("base64")}${"text ".repeat(2000)}`, paths.slice(-3)));
      await copyPaths(store, cache, paths);
    }
    const server = createServer((request, response) => {
      const file = path.join(folder, "cache", request.url!);
      const size = statSync(file, { throwIfNoEntry: false })?.size;
      if (size === undefined) response.writeHead(404).end();
      else createReadStream(file).pipe(response.writeHead(200, { "content-length": String(size) }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const wanted = paths.slice(-1).map((one) => `/nix/store/${one}`);
      const env = { PATH: process.env["PATH"], HOME: folder, XDG_CACHE_HOME: `${folder}/xdg` };
      const ours = await measure(process.execPath, [path.resolve("bin/tsos.js"), "store", "copy", "--no-check-signatures", "--store", `${folder}/ours`, "--from", url, ...wanted], env);
      if (!hasProgram("nix")) return { ours };
      const reference = await measure("nix", ["--extra-experimental-features", "nix-command", "copy", "--no-check-sigs", "--from", url, "--to", `local?root=${folder}/reference`, ...wanted], env);
      return { ours, reference };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  } finally {
    await removeTree(folder);
  }
}

export const benchmarks: readonly Benchmark[] = (["none", "gzip", "zstd"] as const).map((compression) => ({ name: `cache: copy ${PATHS} paths over HTTP, ${compression}`, run: () => copy(compression) }));
