import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { openLocalStore } from "../../core/store/local-store.ts";
import { inFolder } from "./tools/in-folder.ts";

type Figures = { /** Milliseconds. */ ours: number; reference?: number };

async function measure(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

/** `nix-store` of this machine on a store below `folder`; undefined where there is none. */
async function measureReference(folder: string, args: readonly string[]): Promise<number | undefined> {
  const nix = (...rest: readonly string[]): void => {
    execFileSync("nix-store", ["--store", `local?root=${folder}/reference`, ...rest], { stdio: "ignore" });
  };
  try {
    nix("--init");
  } catch {
    return undefined;
  }
  return measure(async () => nix(...args));
}

async function addTree(fill: (source: string) => void): Promise<Figures> {
  return inFolder(async (folder) => {
    const source = `${folder}/source`;
    mkdirSync(source);
    fill(source);
    // What was just written must not be counted to whoever syncs first.
    execFileSync("sync");
    const reference = await measureReference(folder, ["--add", source]);
    execFileSync("sync");
    const ours = await measure(async () => {
      await using store = await openLocalStore({ root: `${folder}/ours` });
      await store.addPathToStore("source", source);
    });
    return reference === undefined ? { ours } : { ours, reference };
  });
}

export const benchmarks: readonly { readonly name: string; run(): Promise<Figures> }[] = [
  {
    name: "store: open",
    run: () =>
      inFolder(async (folder) => {
        await (await openLocalStore({ root: folder }))[Symbol.asyncDispose]();
        return { ours: await measure(async () => (await openLocalStore({ root: folder }))[Symbol.asyncDispose]()) };
      }),
  },
  {
    name: "store: register 1,000 texts",
    run: () =>
      inFolder(async (folder) => {
        await using store = await openLocalStore({ root: folder });
        const base = await store.addTextToStore("base", "base", []);
        const texts = Array.from({ length: 1000 }, (_, n) => ({ name: `text-${n}`, contents: `${n} ${base}`, references: [base] }));
        return { ours: await measure(() => store.addTextsToStore(texts)) };
      }),
  },
  {
    name: "store: closure of 10,000 paths",
    run: () =>
      inFolder(async (folder) => {
        await using store = await openLocalStore({ root: folder });
        let level = await store.addTextsToStore([{ name: "leaf", contents: "leaf", references: [] }]);
        for (let depth = 0; depth < 10; depth++) {
          const below = level;
          const texts = Array.from({ length: 1000 }, (_, n) => {
            const references = Array.from({ length: 10 }, (_, k) => below[(n * 7 + k) % below.length]!);
            return { name: `node-${depth}-${n}`, contents: `${depth} ${n}`, references: [...new Set(references)] };
          });
          level = await store.addTextsToStore(texts);
        }
        return { ours: await measure(() => store.closure(level)) };
      }),
  },
  {
    name: "store: add 50,000 small files",
    run: () =>
      addTree((source) => {
        for (let d = 0; d < 250; d++) {
          mkdirSync(`${source}/${d}`);
          for (let f = 0; f < 200; f++) writeFileSync(`${source}/${d}/${f}`, `file ${d} ${f}\n`.repeat(1 + (f % 40)));
        }
      }),
  },
  {
    name: "store: add 1 GB",
    run: () =>
      addTree((source) => {
        const block = randomBytes(1 << 20);
        for (let n = 0; n < 4; n++) {
          const parts = Array.from({ length: 256 }, (_, k) => {
            block.writeUInt32LE(n * 256 + k);
            return Buffer.from(block);
          });
          writeFileSync(`${source}/${n}`, Buffer.concat(parts));
        }
      }),
  },
  {
    name: "store: collect 1,000 texts",
    run: () =>
      inFolder(async (folder) => {
        {
          await using store = await openLocalStore({ root: folder });
          await store.addTextsToStore(Array.from({ length: 1000 }, (_, n) => ({ name: `text-${n}`, contents: `${n}`, references: [] })));
        }
        await using store = await openLocalStore({ root: folder });
        return { ours: await measure(() => store.collectGarbage()) };
      }),
  },
];
