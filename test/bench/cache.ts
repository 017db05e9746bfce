import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { copyPaths } from "../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../core/cache/open-binary-cache.ts";
import { plainFetchSettings } from "../../core/fetch/fetch-settings.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import type { Benchmark, Figures } from "./run.ts";
import { inFolder } from "./tools/in-folder.ts";
import { findReference } from "./tools/reference.ts";
import { timeProcess, type Time } from "./tools/whole-process.ts";

const PATHS = 500;

const TSOS = path.resolve(import.meta.dirname, "../../bin/tsos.js");
const RUNS = Number(process.env["TSOS_BENCH_RUNS"] ?? 3);

/** Serves a folder, in a process of its own: its time is nobody's. */
const SERVER = `
const { createServer } = require("node:http");
const { createReadStream, statSync } = require("node:fs");
const server = createServer((request, response) => {
  const file = process.argv[1] + request.url;
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) response.writeHead(404).end();
  else createReadStream(file).pipe(response.writeHead(200, { "content-length": String(size) }));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

/** A cache of 500 paths that refer to one another, behind HTTP on loopback; both clients as whole processes, in turn, the least of each. */
async function copy(compression: "none" | "zstd" | "gzip"): Promise<Figures> {
  return inFolder(async (folder) => {
    const paths: StorePath[] = [];
    {
      await using store = await openLocalStore({ root: `${folder}/source` });
      await using cache = await openBinaryCache(`file://${folder}/cache?compression=${compression}`, { settings: plainFetchSettings, environment: {} });
      for (let i = 0; i < PATHS; i++) paths.push(await store.addTextToStore(`path-${i}`, `${randomBytes(12_000).toString("base64")}${"text ".repeat(2000)}`, paths.slice(-3)));
      await copyPaths(store, cache, paths);
    }
    const server = spawn(process.execPath, ["-e", SERVER, `${folder}/cache`], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [port] = (await once(server.stdout, "data")) as [Buffer];
      const url = `http://127.0.0.1:${String(port).trim()}`;
      const wanted = `/nix/store/${paths.at(-1)!}`;
      using other = findReference(folder);
      const [mine, others]: [Time[], Time[]] = [[], []];
      // The first is not counted: it keeps what the engine compiled.
      for (let run = 0; run <= RUNS; run++) {
        const env = { PATH: process.env["PATH"], HOME: folder, XDG_CACHE_HOME: `${folder}/cache-${run}` };
        const time = timeProcess(process.execPath, [TSOS, "store", "copy", "--no-check-signatures", "--store", `${folder}/ours-${run}`, "--from", url, wanted], { env });
        if (run === 0) continue;
        mine.push(time);
        if (other !== undefined) others.push(other.time("nix", ["--extra-experimental-features", "nix-command", "copy", "--no-check-sigs", "--from", url, "--to", `local?root=${folder}/reference-${run}`, wanted], { home: `${folder}/home-${run}` }));
      }
      const least = (times: readonly Time[], of: keyof Time): number => Math.min(...times.map((time) => time[of]));
      return { ours: least(mine, "wall"), cpu: least(mine, "cpu"), ...(other === undefined ? {} : { reference: least(others, "wall"), referenceCpu: least(others, "cpu") }) };
    } finally {
      server.kill();
    }
  });
}

export const benchmarks: readonly Benchmark[] = (["none", "gzip", "zstd"] as const).map((compression) => ({ name: `cache: copy ${PATHS} paths over HTTP, ${compression}`, run: () => copy(compression) }));
