import { readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { Worker } from "node:worker_threads";
import type { TsosErrorInit } from "../error/tsos-error.ts";
import { TsosError } from "../error/tsos-error.ts";
import { joinErrors } from "./config-errors.ts";
import { cacheKey, findCached, writeCached } from "./evaluation-cache.ts";
import type { FileRead } from "./file-read.ts";

export type TypeCheckOptions = {
  readonly file: string;
  /** Modules of inputs that it imports: what they declare counts. */
  readonly inputModules?: readonly string[] | undefined;
  /** tsos's own folder: its `dist` holds the thread, its sources the types of `"tsos"`. */
  readonly installation: string;
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** What the thread is started with. */
export type TypeCheckData = {
  readonly file: string;
  readonly inputModules: readonly string[];
  readonly installation: string;
  /** Checks again at every message, with what the last check knows. */
  readonly isWatching?: boolean;
};

/** What it answers: all that it looked at, and what is wrong, ready for `TsosError`. */
export type TypeCheckReply = {
  readonly reads: readonly FileRead[];
  readonly errors: readonly TsosErrorInit[];
};

/**
 * Type-checks a configuration in a thread of its own, or answers from the cache when no file of the program
 * has changed since it was found right.
 *
 * @throws TsosError or `ConfigErrors` with every diagnostic.
 */
export async function typeCheckConfig(options: TypeCheckOptions): Promise<void> {
  const { installation, cacheDir, signal, inputModules = [] } = options;
  const file = realpathSync(options.file);
  const build: unknown = JSON.parse(readFileSync(join(installation, "dist", "build.json"), "utf8"));
  const version = typeof build === "object" && build !== null && "version" in build ? build.version : undefined;
  const key = cacheKey(["check", version, file, inputModules]);
  if (cacheDir !== undefined && (await findCached(cacheDir, key)) !== undefined) return;
  signal?.throwIfAborted();
  const reply = await runWorker({ file, inputModules, installation }, signal);
  if (reply.errors.length > 0) throw joinErrors(reply.errors.map((error) => new TsosError(error)));
  if (cacheDir === undefined) return;
  // An installed package's files change with its version only.
  const own = installation.includes(`${sep}node_modules${sep}`) ? installation + sep : undefined;
  writeCached(cacheDir, key, { reads: reply.reads.filter(({ path }) => own === undefined || !path.startsWith(own)), value: true });
}

async function runWorker(data: TypeCheckData, signal: AbortSignal | undefined): Promise<TypeCheckReply> {
  signal?.throwIfAborted();
  const worker = new Worker(join(data.installation, "dist", "type-check-worker.js"), { workerData: data, stdin: false, execArgv: [] });
  let onAbort: () => void = () => undefined;
  try {
    return await new Promise<TypeCheckReply>((resolve, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the type checker ended with code ${code}`)));
    });
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
