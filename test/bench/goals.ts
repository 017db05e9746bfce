/**
 * What the store promises of its speed, as commands beside the reference's on the same files: whole processes with their
 * start, each side on a store of its own in one folder, in turn, the least of TSOS_BENCH_RUNS (3). The reference syncs
 * nothing unless it is told to; tsos syncs what it registers.
 */
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import type { Benchmark, Figures } from "./run.ts";
import { timeProcess, type Time } from "./tools/whole-process.ts";
import { inFolder } from "./tools/in-folder.ts";
import { findReference, type Reference } from "./tools/reference.ts";

const TSOS = path.resolve(import.meta.dirname, "../../bin/tsos.js");
// Node 20 reads these certificates whenever it starts.
const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

const RUNS = Number(process.env["TSOS_BENCH_RUNS"] ?? 3);

const ours = (args: readonly string[], input?: string): Time => timeProcess(process.execPath, [TSOS, ...args], { env, input });

/** One run of each side; `run` tells what it makes from what the others made. */
type Contest = {
  readonly ours: (run: number) => Time;
  readonly reference: (reference: Reference, run: number) => Time;
  readonly runs?: number;
};

/** The first run of ours is not counted: it keeps what the engine compiled. */
function compare(folder: string, { ours: own, reference, runs = RUNS }: Contest): Figures {
  using other = findReference(folder);
  const [mine, others]: [Time[], Time[]] = [[], []];
  if (runs > 1) own(0);
  for (let run = 1; run <= runs; run++) {
    mine.push(own(run));
    if (other !== undefined) others.push(reference(other, run));
  }
  const least = (times: readonly Time[], of: keyof Time): number => Math.min(...times.map((time) => time[of]));
  return { ours: least(mine, "wall"), cpu: least(mine, "cpu"), ...(other === undefined ? {} : { reference: least(others, "wall"), referenceCpu: least(others, "cpu") }) };
}

/** Megabytes that a command had in memory at most, above what Node has that does nothing. */
function memoryOf(folder: string, args: readonly string[], input?: string): number {
  const measure = (words: readonly string[]): number => {
    const file = `${folder}/memory`;
    // Not by `resourceUsage`, which counts what the parent had when it forked.
    const probe = `data:text/javascript,import{readFileSync as r,writeFileSync as w}from"node:fs";process.on("exit",()=>w(${JSON.stringify(file)},r("/proc/self/status")))`;
    timeProcess(process.execPath, ["--import", probe, ...words], { env, input });
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(file, "utf8"))![1]) / 1024;
  };
  return measure([TSOS, ...args]) - measure(["-e", "0"]);
}

type Tree = { readonly what: string; fill(folder: string): void };

const trees: readonly Tree[] = [
  {
    what: "1 GB",
    fill(folder) {
      mkdirSync(folder);
      for (let n = 0; n < 4; n++) writeFileSync(`${folder}/${n}`, randomBytes(256 << 20));
    },
  },
  {
    what: "50,000 small files",
    fill(folder) {
      mkdirSync(folder);
      for (let d = 0; d < 250; d++) {
        mkdirSync(`${folder}/${d}`);
        for (let f = 0; f < 200; f++) writeFileSync(`${folder}/${d}/${f}`, `file ${d} ${f}\n`.repeat(1 + (f % 40)));
      }
    },
  },
];

function archiveOf(folder: string): string {
  const file = `${folder}.nar`;
  const output = openSync(file, "w");
  try {
    execFileSync(process.execPath, [TSOS, "store", "dump", folder], { env, stdio: ["ignore", output, "inherit"] });
  } finally {
    closeSync(output);
  }
  return file;
}

const ofTrees = trees.flatMap(({ what, fill }): readonly Benchmark[] => [
  {
    name: `goals: dump ${what}`,
    run: () =>
      inFolder(async (folder) => {
        fill(`${folder}/tree`);
        return compare(folder, { ours: () => ours(["store", "dump", `${folder}/tree`]), reference: (other) => other.time("nix-store", ["--dump", `${folder}/tree`]) });
      }),
  },
  {
    name: `goals: restore ${what}`,
    run: () =>
      inFolder(async (folder) => {
        fill(`${folder}/tree`);
        const archive = archiveOf(`${folder}/tree`);
        const fresh = (): string => {
          rmSync(`${folder}/made`, { recursive: true, force: true });
          execFileSync("sync");
          return `${folder}/made`;
        };
        return compare(folder, { ours: () => ours(["store", "restore", fresh()], archive), reference: (other) => other.time("nix-store", ["--restore", fresh()], { input: archive }) });
      }),
  },
  {
    name: `goals: add ${what}`,
    run: () =>
      inFolder(async (folder) => {
        fill(`${folder}/tree`);
        const fresh = (): void => {
          rmSync(`${folder}/made`, { recursive: true, force: true });
          execFileSync("sync");
        };
        return compare(folder, {
          ours: () => {
            fresh();
            return ours(["--store", `${folder}/made`, "store", "add", `${folder}/tree`]);
          },
          reference: (other) => {
            fresh();
            return other.time("nix-store", ["--store", `${folder}/made`, "--add", `${folder}/tree`]);
          },
        });
      }),
  },
]);

const ofMemory: readonly Benchmark[] = [
  { what: "dump", args: (folder: string) => ["store", "dump", `${folder}/tree`] },
  { what: "restore", args: (folder: string) => ["store", "restore", `${folder}/made`], input: true },
  { what: "add", args: (folder: string) => ["--store", `${folder}/store`, "store", "add", `${folder}/tree`] },
].map(({ what, args, input }) => ({
  name: `goals: memory to ${what} 1 GB, in MB above Node's own (at most 150)`,
  run: () =>
    inFolder(async (folder) => {
      trees[0]!.fill(`${folder}/tree`);
      return { ours: memoryOf(folder, args(folder), input === true ? archiveOf(`${folder}/tree`) : undefined) };
    }),
}));

const DERIVATIONS = 1000;

/** Ten levels of a thousand texts, each of which refers to ten of the level below. */
async function makeGraph(root: string): Promise<StorePath> {
  await using store = await openLocalStore({ root });
  let level = await store.addTextsToStore([{ name: "leaf", contents: "leaf", references: [] }]);
  for (let depth = 0; depth < 10; depth++) {
    const below = level;
    level = await store.addTextsToStore(
      Array.from({ length: 1000 }, (_, n) => ({ name: `node-${depth}-${n}`, contents: `${depth} ${n}`, references: [...new Set(Array.from({ length: 10 }, (_, k) => below[(n * 7 + k) % below.length]!))] })),
    );
  }
  // The store is closed only then.
  return await store.addTextToStore("top", "top", level);
}

/** A store that says of itself that it has a million paths; their files are not there. */
async function makeMillion(root: string): Promise<string> {
  const { stateDir } = await (async () => {
    await using store = await openLocalStore({ root });
    return { stateDir: store.stateDir };
  })();
  const { DatabaseSync } = createRequire(import.meta.url)("@photostructure/sqlite") as typeof import("@photostructure/sqlite");
  const database = new DatabaseSync(`${stateDir}/db/db.sqlite`);
  database.exec("begin");
  const insert = database.prepare("insert into ValidPaths (path, hash, registrationTime, narSize) values (?, ?, 1, 100)");
  for (let n = 0; n < 1_000_000; n++) insert.run(`/nix/store/${String(n * 7919 % 1_000_003).padStart(32, "0")}-path-${n}`, `sha256:${"0".repeat(64)}`);
  database.exec("commit");
  database.close();
  return `${"0".repeat(32)}-path-0`;
}

export const benchmarks: readonly Benchmark[] = [
  ...ofTrees,
  ...ofMemory,
  {
    name: "goals: closure of 10,000 paths",
    run: () =>
      inFolder(async (folder) => {
        const top = `/nix/store/${await makeGraph(`${folder}/root`)}`;
        return compare(folder, { ours: () => ours(["--store", `${folder}/root`, "store", "closure", top]), reference: (other) => other.time("nix-store", ["--store", `${folder}/root`, "-qR", top]) });
      }),
  },
  {
    name: "goals: collect 100,000 dead among 200,000 paths",
    run: () =>
      inFolder(async (folder) => {
        {
          await using store = await openLocalStore({ root: `${folder}/ours` });
          for (let part = 0; part < 10; part++) {
            const texts = (kind: string) => Array.from({ length: 10_000 }, (_, n) => ({ name: `${kind}-${part}-${n}`, contents: `${kind} ${part} ${n}`, references: [] }));
            const alive = await store.addTextsToStore(texts("alive"));
            await store.addPermanentRoot(await store.addTextToStore(`keep-${part}`, String(part), alive), `${folder}/ours/nix/var/nix/gcroots/keep-${part}`);
            await store.addTextsToStore(texts("dead"));
          }
        }
        cpSync(`${folder}/ours`, `${folder}/reference`, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        execFileSync("sync");
        return compare(folder, { runs: 1, ours: () => ours(["--store", `${folder}/ours`, "gc"]), reference: (other) => other.time("nix-store", ["--store", `${folder}/reference`, "--gc"]) });
      }),
  },
  {
    // Ours without a sandbox still has namespaces of its own; the reference's builds in its chroot have none.
    name: `goals: realise ${DERIVATIONS} trivial derivations, both with sandbox = false`,
    run: () =>
      inFolder(async (folder) => {
        writeFileSync(`${folder}/parts.nix`, `{ salt }: builtins.genList (n: derivation { name = "part-\${toString n}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; inherit salt; }) ${DERIVATIONS}`);
        const salt = path.basename(folder);
        const expression = ["-j", "2", "--no-out-link", "--option", "sandbox", "false", `${folder}/parts.nix`, "--argstr", "salt", salt];
        return compare(folder, { runs: 1, ours: () => ours(["nix", "build", "--store", `${folder}/store`, ...expression]), reference: (other) => other.time("nix-build", expression) });
      }),
  },
  {
    name: "goals: open a store of a million paths (at most 100 ms)",
    run: () =>
      inFolder(async (root) => {
        await makeMillion(root);
        const start = performance.now();
        await using _store = await openLocalStore({ root });
        return { ours: performance.now() - start };
      }),
  },
  {
    name: "goals: ask a store of a million paths for one, new each time (at most 5 ms)",
    run: () =>
      inFolder(async (root) => {
        await makeMillion(root);
        await using store = await openLocalStore({ root });
        const times: number[] = [];
        for (let n = 0; n < 200; n++) {
          const asked = n * 4999;
          const start = performance.now();
          const info = await store.findPathInfo(`${String(asked * 7919 % 1_000_003).padStart(32, "0")}-path-${asked}` as StorePath);
          times.push(performance.now() - start);
          if (info === undefined) throw new Error(`path ${asked} is not there`);
        }
        // The slowest tell of who else wanted the processor.
        return { ours: times.sort((a, b) => a - b)[times.length >> 1]! };
      }),
  },
];
