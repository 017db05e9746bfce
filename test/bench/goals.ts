/**
 * What the store promises of its speed, as commands beside `nix-store` on the same files: whole processes with their
 * start, each side on a store of its own in one folder. The reference syncs nothing unless it is told to; tsos syncs
 * what it registers.
 */
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, openSync, closeSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { hasProgram } from "../core/store/has-program.ts";
import type { Benchmark, Figures } from "./run.ts";
import { timeProcess, type Time } from "./tools/whole-process.ts";
import { inFolder } from "./tools/in-folder.ts";

const TSOS = path.resolve(import.meta.dirname, "../../bin/tsos.js");
// Node 20 reads these certificates whenever it starts.
const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

const ours = (args: readonly string[], input?: string): Time => timeProcess(process.execPath, [TSOS, ...args], { env, input });
const theirs = (args: readonly string[], input?: string): Time => timeProcess("nix-store", args, { env, input });

function compare(own: Time, reference: () => Time): Figures {
  const other = hasProgram("nix-store") ? reference() : undefined;
  return { ours: own.wall, cpu: own.cpu, ...(other === undefined ? {} : { reference: other.wall, referenceCpu: other.cpu }) };
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
        return compare(ours(["store", "dump", `${folder}/tree`]), () => theirs(["--dump", `${folder}/tree`]));
      }),
  },
  {
    name: `goals: restore ${what}`,
    run: () =>
      inFolder(async (folder) => {
        fill(`${folder}/tree`);
        const archive = archiveOf(`${folder}/tree`);
        execFileSync("sync");
        return compare(ours(["store", "restore", `${folder}/ours`], archive), () => theirs(["--restore", `${folder}/reference`], archive));
      }),
  },
  {
    name: `goals: add ${what}`,
    run: () =>
      inFolder(async (folder) => {
        fill(`${folder}/tree`);
        execFileSync("sync");
        return compare(ours(["--store", `${folder}/ours`, "store", "add", `${folder}/tree`]), () => theirs(["--store", `${folder}/reference`, "--add", `${folder}/tree`]));
      }),
  },
]);

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
  {
    name: "goals: closure of 10,000 paths",
    run: () =>
      inFolder(async (folder) => {
        const top = `/nix/store/${await makeGraph(`${folder}/root`)}`;
        return compare(ours(["--store", `${folder}/root`, "store", "closure", top]), () => theirs(["--store", `${folder}/root`, "-qR", top]));
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
        return compare(ours(["--store", `${folder}/ours`, "gc"]), () => theirs(["--store", `${folder}/reference`, "--gc"]));
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
