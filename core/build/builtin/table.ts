import { availableParallelism } from "node:os";
import type { BuiltinBuilder } from "../builtin-builder.ts";
import { buildenv } from "./buildenv.ts";
import { createCompose } from "./compose.ts";
import { fetchurl } from "./fetchurl.ts";
import { createPatchElf } from "./patch-elf.ts";
import { unpackChannel } from "./unpack-channel.ts";
import { createUnpackDeb } from "./unpack-deb.ts";
import { createUnpackNpm } from "./unpack-npm.ts";
import { createWorkerPool } from "./worker/worker-pool.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";
import { writeTree } from "./write-tree.ts";

/** What follows `builtin:` in a derivation's builder → what it does. */
export function createBuiltinBuilders(workers: WorkerPool): ReadonlyMap<string, BuiltinBuilder> {
  return new Map<string, BuiltinBuilder>([
    ["buildenv", buildenv],
    ["compose", createCompose(workers)],
    ["fetchurl", fetchurl],
    ["patch-elf", createPatchElf(workers)],
    ["unpack-channel", unpackChannel],
    ["unpack-deb", createUnpackDeb(workers)],
    ["unpack-npm", createUnpackNpm(workers)],
    ["write-tree", writeTree],
  ]);
}

/**
 * The worker's code: beside this file in the source, or in the bundles' folder, where the build script puts
 * it as an entry of its own.
 */
const workerEntry = new URL(import.meta.url.endsWith(".ts") ? "./unpack-worker.ts" : "./unpack-worker.js", import.meta.url);

/** The builders with a thread for each processor, started when the first work for one comes. */
export const builtinBuilders: ReadonlyMap<string, BuiltinBuilder> = createBuiltinBuilders(
  createWorkerPool({ entry: workerEntry, threads: Math.max(2, availableParallelism()) }),
);
