import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { temporaryFolder, nixStore } from "./temporary-store.ts";

const module = fileURLToPath(new URL("../../../core/store/local-store.ts", import.meta.url));

/** Adds, builds and collects without end. */
const work = (root: string, source: string): string => `
  const { openLocalStore } = await import(${JSON.stringify(module)});
  const { mkdirSync, writeFileSync, appendFileSync } = await import("node:fs");
  const store = await openLocalStore({ root: ${JSON.stringify(root)} });
  console.log("open");
  for (let n = 0; ; n++) {
    const texts = await store.addTextsToStore(Array.from({ length: 20 }, (_, i) => ({ name: "t" + i, contents: process.pid + " " + n + " " + i, references: [] })));
    await store.addPathToStore("tree" + n + "-" + process.pid, ${JSON.stringify(source)});
    const folder = await store.createTemporaryFolder();
    const out = (process.pid * 1000 + n).toString().padStart(32, "0") + "-out";
    mkdirSync(folder.path + "/out");
    writeFileSync(folder.path + "/out/file", texts[0] + " " + out);
    const locks = await store.lockPaths([out]);
    await store.addTemporaryRoot(out);
    await store.registerBuildOutputs({ derivationPath: texts[1], outputs: [{ name: "out", path: out, folder: folder.path + "/out" }], candidates: texts });
    locks.release();
    await folder[Symbol.asyncDispose]();
    if (n % 3 === 2) await store.collectGarbage({ maxFreed: 20000 });
  }`;

test("a process killed at any point leaves nothing that the next one does not clean up", async (t) => {
  const folder = temporaryFolder(t);
  const root = `${folder}/root`;
  const source = `${folder}/source`;
  mkdirSync(`${source}/sub`, { recursive: true });
  for (let n = 0; n < 50; n++) writeFileSync(`${source}/sub/${n}`, "x".repeat(n * 100));

  for (let round = 0; round < 12; round++) {
    // Two at once, as two commands of a user.
    const children = [0, 1].map(() => spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", work(root, source)], { stdio: ["ignore", "pipe", "inherit"] }));
    await Promise.all(children.map((child) => once(child.stdout!, "data")));
    for (const child of children) {
      await sleep(Math.random() * 150);
      child.kill("SIGKILL");
    }
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
    await using store = await openLocalStore({ root });
    assert.deepEqual(await store.verify({ checkContents: true }), []);
    if (round % 4 !== 3) continue;
    nixStore(root)?.("--verify", "--check-contents");
    await store.collectGarbage();
    assert.deepEqual(await store.queryAllValidPaths(), []);
    assert.deepEqual(readdirSync(store.realStoreDir), [".links"]);
    assert.deepEqual(readdirSync(`${store.stateDir}/temproots`), []);
  }
});
