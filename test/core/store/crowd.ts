import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { build } from "esbuild";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { realise } from "../../../core/build/realise.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { removeTree } from "../../../core/store/file-tree.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { crowdDerivations } from "./crowd-derivations.ts";
import { askNix } from "../../faults/store-faults.ts";

const PROCESSES = 16;

/** Sixteen processes build, substitute, add, collect and verify the same 500 paths for so long. */
export async function runCrowd(t: TestContext, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-crowd-"));
  try {
    const [root, cache, log] = [join(folder, "store"), join(folder, "cache"), join(folder, "log")];
    mkdirSync(root);
    writeFileSync(log, "");
    await fillCache(join(folder, "filled"), cache);
    const member = resolve(import.meta.dirname, `../../../node_modules/.cache/tsos-faults/crowd-${process.pid}.mjs`);
    await build({ entryPoints: [join(import.meta.dirname, "crowd-member.ts")], outfile: member, bundle: true, packages: "external", platform: "node", format: "esm", target: "node20", logLevel: "error" });
    const results = await Promise.all(Array.from({ length: PROCESSES }, (_, seed) => runMember(member, [root, cache, log, String(seconds), String(seed + 1)], seconds)));
    execFileSync("rm", ["-f", member]);
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    const sums: Record<string, number> = {};
    for (const { stdout } of results) for (const [name, count] of Object.entries(JSON.parse(stdout) as Record<string, number>)) sums[name] = (sums[name] ?? 0) + count;
    const builds = checkLog(readFileSync(log, "utf8"));
    t.diagnostic(`${PROCESSES} processes, ${seconds} s: ${Object.entries(sums).map(([name, count]) => `${count} × ${name}`).join(", ")}; ${builds} builders ran, none twice at once`);
    for (const name of ["build", "substitute", "collect"]) assert.ok(sums[name]! > 0, `nobody did "${name}"`);

    await using store = await openLocalStore({ root });
    assert.deepEqual(await store.verify({ checkContents: true }), []);
    askNix(folder, "after the crowd", root);
    await store.collectGarbage();
    assert.deepEqual(await store.queryAllValidPaths(), []);
  } finally {
    await removeTree(folder);
  }
}

/** No derivation may begin again before it has ended. @returns how many ended */
function checkLog(text: string): number {
  const running = new Map<string, string>();
  let ended = 0;
  for (const line of text.trimEnd().split("\n")) {
    const [word, pid, path] = line.split(" ") as [string, string, string];
    if (word === "begin") {
      assert.equal(running.get(path), undefined, `"${path}" is built by ${pid} while ${running.get(path)} builds it`);
      running.set(path, pid);
    } else {
      assert.equal(running.get(path), pid);
      running.delete(path);
      ended++;
    }
  }
  assert.deepEqual([...running], []);
  return ended;
}

/** With all of them, as a machine that built them before would. */
async function fillCache(root: string, folder: string): Promise<void> {
  await using store = await openLocalStore({ root });
  await using cache = await openBinaryCache(`file://${folder}?trusted=1&compression=none`, { settings: plainFetchSettings, environment: {} });
  const { paths: drvs, texts } = crowdDerivations();
  await store.addTextsToStore(texts);
  const results = await realise(store, drvs.map((drvPath) => ({ drvPath })), {
    jobs: 2, cores: 1, settings: plainFetchSettings,
    tools: { bubblewrap: () => Promise.reject(new Error("nothing of this is built in a sandbox")) },
    builtins: new Map([["crowd", async ({ outputs, env }) => {
      mkdirSync(outputs.get("out")!);
      writeFileSync(`${outputs.get("out")!}/text`, env.get("text")!);
    }]]),
  });
  // Every third, so that what refers to another is taken with what was built here.
  const paths = [...results.values()].flatMap((outputs) => [...outputs.values()]).filter((_, i) => i % 3 !== 2);
  await copyPaths(store, cache, paths);
}

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Killed, and so a failure, when it hangs for a minute after its time. */
function runMember(file: string, args: readonly string[], seconds: number): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    const timer = setTimeout(() => {
      stderr += "it hangs";
      child.kill("SIGKILL");
    }, (seconds + 60) * 1000);
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code, stdout, stderr });
    });
  });
}
