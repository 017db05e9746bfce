import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checkDerivation } from "../../core/derivation/check-derivation.ts";
import { derivationStorePath } from "../../core/derivation/derivation-store-path.ts";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { finishDerivation } from "../../core/derivation/finish-derivation.ts";
import { formatDerivation } from "../../core/derivation/format-derivation.ts";
import { HashModuloCache } from "../../core/derivation/hash-modulo-cache.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { createHasher } from "../../core/hash/hasher.ts";
import { dumpPath, narHashOfPath } from "../../core/nar/dump-path.ts";
import { readNar } from "../../core/nar/read-nar.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { readDrvArchive } from "../golden/archive.ts";
import { GOLDEN_DIR } from "../golden/golden-dir.ts";

/** Milliseconds; `reference` is the same work done by the reference implementation, its start included. */
export type Benchmark = { readonly name: string; run(): Promise<{ ours: number; reference?: number }> };

const DRVS = join(GOLDEN_DIR, "nixos-26.11-drvs.tar.zst");
const REFERENCE_TOOL = resolve(GOLDEN_DIR, "../tools/reference-nix.sh");
const NODE_MODULES = resolve(fileURLToPath(import.meta.url), "../../../node_modules");

const run = promisify(execFile);

async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The best of a few runs, the first of which warms caches and compiler. */
async function best(work: () => unknown, runs = 4): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < runs; i++) least = Math.min(least, await time(work));
  return least;
}

/** The folder in which the reference is installed, where it is. */
async function findReferenceRoot(): Promise<string | undefined> {
  if (!existsSync(REFERENCE_TOOL)) return undefined;
  try {
    const root = (await run(REFERENCE_TOOL, ["root"])).stdout.trim();
    return existsSync(join(root, "usr/bin/nix")) ? root : undefined;
  } catch {
    return undefined;
  }
}

/** A tree that both can see: the reference's own /usr; else this project's node_modules. */
async function findTree(): Promise<{ readonly path: string; readonly referencePath?: string }> {
  const root = await findReferenceRoot();
  return root === undefined ? { path: NODE_MODULES } : { path: join(root, "usr"), referencePath: "/usr" };
}

async function withReference(ours: number, command: readonly string[] | undefined): Promise<{ ours: number; reference?: number }> {
  if (command === undefined) return { ours };
  return { ours, reference: await best(() => run(REFERENCE_TOOL, ["run", ...command], { maxBuffer: 1 << 20 })) };
}

let loaded: Promise<ReadonlyMap<string, string>> | undefined;

/** The texts of the golden derivations, by base name. */
function readDrvs(): Promise<ReadonlyMap<string, string>> {
  loaded ??= readDrvArchive(DRVS).then((files) => new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")])));
  return loaded;
}

function parseAll(texts: ReadonlyMap<string, string>): ReadonlyMap<StorePath, Derivation> {
  return new Map([...texts].map(([name, text]) => [name as StorePath, parseDerivation(text, name.slice(33, -".drv".length))]));
}

const always: readonly Benchmark[] = [
  {
    name: "nar: dump and sha256 of a tree",
    async run() {
      const { path, referencePath } = await findTree();
      return withReference(await best(() => narHashOfPath(path)), referencePath === undefined ? undefined : ["nix", "hash", "path", referencePath]);
    },
  },
  {
    name: "nar: dump of a tree",
    async run() {
      const { path, referencePath } = await findTree();
      const ours = await best(async () => {
        for await (const chunk of dumpPath(path)) void chunk;
      });
      return withReference(ours, referencePath === undefined ? undefined : ["sh", "-c", `nix-store --dump ${referencePath} > /dev/null`]);
    },
  },
  {
    name: "nar: dump and read of a tree",
    async run() {
      const { path } = await findTree();
      return { ours: await best(() => readNar(dumpPath(path), {})) };
    },
  },
  {
    name: "hash: sha256 of 256 MiB",
    async run() {
      const block = Buffer.alloc(1 << 20, 1);
      return {
        ours: await best(() => {
          const hasher = createHasher("sha256");
          for (let i = 0; i < 256; i++) hasher.update(block);
          hasher.digest();
        }),
      };
    },
  },
  {
    name: "instantiate: finish 2,000 derivations",
    async run() {
      return {
        ours: await best(() => {
          const cache = new HashModuloCache();
          let last: StorePath | undefined;
          for (let i = 0; i < 2000; i++) {
            const finished = finishDerivation(
              {
                name: `package-${i}`,
                outputs: new Map([["out", { kind: "deferred" }], ["dev", { kind: "deferred" }]]),
                inputDerivations: last === undefined ? new Map() : new Map([[last, new Set(["out"])]]),
                inputSources: new Set(),
                platform: "x86_64-linux",
                builder: "/bin/sh",
                args: ["-e", "builder.sh"],
                env: new Map(Array.from({ length: 30 }, (_, key) => [`variable${key}`, `value ${i} of "${key}"\n`.repeat(4)])),
              },
              cache,
            );
            last = finished.path;
          }
        }),
      };
    },
  },
];

const golden: readonly Benchmark[] = [
  {
    name: "derivation: parse the .drv files of a system",
    async run() {
      const texts = await readDrvs();
      return { ours: await best(() => parseAll(texts)) };
    },
  },
  {
    name: "derivation: write the .drv files of a system",
    async run() {
      const derivations = parseAll(await readDrvs());
      return {
        ours: await best(() => {
          for (const derivation of derivations.values()) formatDerivation(derivation);
        }),
      };
    },
  },
  {
    name: "derivation: store paths and output paths of a system",
    async run() {
      const derivations = parseAll(await readDrvs());
      return {
        ours: await best(() => {
          const cache = new HashModuloCache({ getDerivation: (path) => derivations.get(path)! });
          for (const derivation of derivations.values()) {
            derivationStorePath(derivation);
            checkDerivation(derivation, cache.get);
          }
        }),
      };
    },
  },
];

export const benchmarks: readonly Benchmark[] = existsSync(DRVS) ? [...always, ...golden] : always;
