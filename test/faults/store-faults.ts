import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { build } from "esbuild";
import { removeTree } from "../../core/store/file-tree.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import type { FaultKind, FaultPoints } from "./fault-points.ts";
import { STORE_SCENARIOS, type StoreScenario } from "./store-scenarios.ts";

export type StoreFaultsOptions = {
  readonly faults: FaultPoints;
  readonly kinds: readonly FaultKind[];
  /** Every so many points are tried; 1 is all. */
  readonly step: number;
  /** Every so many tried points Debian's `nix-store` looks too. */
  readonly askNix: number;
  /** Names of `STORE_SCENARIOS`; default all. */
  readonly scenarios?: readonly string[];
};

/** So many turns, each at least so many milliseconds, without any operation: it waits for what does not come. */
const IDLE_TURNS = 120;
const IDLE_TURN = 250;

/** Lets each operation of each scenario fail in turn; prints and returns how many were tried. */
export async function tryStoreFaults(t: TestContext, options: StoreFaultsOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-faults-"));
  let tried = 0;
  let asked = 0;
  try {
    const child = options.kinds.includes("kill") ? await bundleChild() : "";
    for (const name of options.scenarios ?? Object.keys(STORE_SCENARIOS)) {
      const scenario = STORE_SCENARIOS[name]!;
      const template = join(folder, name);
      // Made where it is used, since some of it holds its own path.
      mkdirSync(join(folder, "trial"));
      const kept = await scenario.prepare(join(folder, "trial"));
      renameSync(join(folder, "trial"), template);
      for (const kind of options.kinds) {
        let points = 0;
        for (let at = 1; ; at += options.step) {
          const place = join(folder, "trial");
          execFileSync("cp", ["-a", template, place]);
          const reached = kind === "kill" ? await runKilled(child, name, place, at) : await runFailing(options.faults, kind, scenario, place, at);
          const what = `${name}, ${kind} at ${at}`;
          if (points % options.askNix === 0 && scenario.damages !== true && askNix(place, what)) asked++;
          await assertRecovers(scenario, place, kept, what);
          if (points % options.askNix === 0 && askNix(place, what)) asked++;
          await removeTree(place);
          if (!reached) break;
          points++;
        }
        tried += points;
        t.diagnostic(`${name}, ${kind}: ${points} points`);
      }
    }
  } finally {
    await removeTree(folder);
  }
  t.diagnostic(`${tried} points tried, nix-store asked ${asked} times`);
  return tried;
}

/** One file, so that a child starts in the time of Node itself. */
export async function bundleChild(): Promise<string> {
  const outfile = resolve(import.meta.dirname, `../../node_modules/.cache/tsos-faults/${process.pid}.mjs`);
  await build({ entryPoints: [join(import.meta.dirname, "fault-child.ts")], outfile, bundle: true, packages: "external", platform: "node", format: "esm", target: "node20", logLevel: "error" });
  return outfile;
}

function runKilled(child: string, name: string, place: string, at: number): Promise<boolean> {
  return new Promise((done, failed) => {
    const started = execFile(process.execPath, [child, name, place, String(at)], { timeout: 600_000 }, (error, _stdout, stderr) => {
      if (started.signalCode === "SIGKILL") done(true);
      else if (error === null) done(false);
      else failed(new Error(`${name} at ${at} ended by itself: ${error.message} ${stderr}`));
    });
  });
}

async function runFailing(faults: FaultPoints, kind: FaultKind, scenario: StoreScenario, place: string, at: number): Promise<boolean> {
  faults.arm(kind, at);
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_, failed) => {
    let [seen, idle] = [-1, 0];
    // Turns of this process without any operation, which a machine that does other things makes later, not more.
    timer = setInterval(() => {
      const { count } = faults.progress();
      idle = count === seen ? idle + 1 : 0;
      seen = count;
      if (idle >= IDLE_TURNS) failed(new assert.AssertionError({ message: `stuck at ${kind} ${at}` }));
    }, IDLE_TURN);
  });
  try {
    await Promise.race([stuck, (async () => {
      await using store = await openLocalStore({ root: `${place}/root`, autoOptimise: scenario.autoOptimise });
      await scenario.run(store, place);
    })()]);
  } catch (error) {
    // That it fails is right; that it hangs or has an error of its own is not.
    if (error instanceof assert.AssertionError || error instanceof TypeError || error instanceof ReferenceError) throw error;
  } finally {
    clearInterval(timer);
  }
  return faults.disarm().reached;
}

export async function assertRecovers(scenario: StoreScenario, place: string, kept: readonly StorePath[], what: string): Promise<void> {
  const root = `${place}/root`;
  {
    await using store = await openLocalStore({ root });
    if (scenario.damages !== true) assert.deepEqual(await store.verify({ checkContents: true }), [], `${what}: what is registered is right`);
    assert.deepEqual([...(await store.queryValidPaths(kept))].sort(), [...kept].sort(), `${what}: nothing is lost`);
    const made = await scenario.run(store, place);
    await scenario.check?.(store, place);
    assert.equal((await store.queryValidPaths(made)).size, new Set(made).size, `${what}: it works again`);
    assert.deepEqual(await store.verify({ checkContents: true }), [], `${what}: all is right afterwards`);
  }
  await using store = await openLocalStore({ root });
  await store.collectGarbage();
  const valid = await store.queryAllValidPaths();
  assert.deepEqual(readdirSync(store.realStoreDir).sort(), [".links", ...valid].sort(), `${what}: nothing is left over`);
  assert.deepEqual([...(await store.queryValidPaths(kept))].sort(), [...kept].sort(), `${what}: the collector took nothing that a root keeps`);
}

export function askNix(place: string, what: string, root = `${place}/root`): boolean {
  try {
    execFileSync("nix-store", ["--verify", "--check-contents", "--store", `local?root=${root}`], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: place } });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new Error(`${what}: nix-store --verify: ${String((error as { stderr?: Buffer }).stderr)}`);
  }
}
