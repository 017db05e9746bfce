import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { narHashOfPathSync } from "../../../core/nar/dump-path.ts";
import { removeTree } from "../../../core/store/file-tree.ts";
import { askNix, assertRecovers, bundleChild } from "../store-faults.ts";
import { STORE_SCENARIOS } from "../store-scenarios.ts";
import { replayCalls, TRACED } from "./replay-calls.ts";
import { SimulatedDisk, type Survival } from "./simulated-disk.ts";

export type PowerCutOptions = {
  /** Every so many states of the disk are tried; 1 is all. */
  readonly step: number;
  /** Every so many tried states Debian's `nix-store` looks too. */
  readonly askNix: number;
  /** Names of `STORE_SCENARIOS`; default all. */
  readonly scenarios?: readonly string[];
};

const SURVIVALS: readonly Survival[] = ["nothing", "names", "contents"];

export function hasStrace(): boolean {
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/**
 * Does what each scenario does under strace, keeps a journal of what it writes and syncs, and lets the power fail after each
 * write: what nobody synced is gone, or half of it is. Prints and returns how many states of the disk were tried.
 */
export async function tryPowerCuts(t: TestContext, options: PowerCutOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-power-"));
  let tried = 0;
  let asked = 0;
  try {
    const child = await bundleChild();
    for (const name of options.scenarios ?? Object.keys(STORE_SCENARIOS)) {
      const scenario = STORE_SCENARIOS[name]!;
      const place = join(folder, "trial");
      const template = join(folder, name);
      // Made where it is used, since some of it holds its own path.
      mkdirSync(place);
      const kept = await scenario.prepare(place);
      renameSync(place, template);
      execFileSync("cp", ["-a", template, place]);
      const log = join(folder, "strace.log");
      await promisify(execFile)("strace", ["-f", "-xx", "-s", "16777216", "-e", `trace=${TRACED.join(",")}`, "-o", log, process.execPath, child, name, place, "1000000000"], { timeout: 300_000 });
      const disk = new SimulatedDisk(join(template, "root"));
      replayCalls(disk, join(place, "root"), readFileSync(log, "latin1"));
      checkReplay(disk, join(place, "root"), join(folder, "replayed"));
      await removeTree(place);

      const seen = new Set<string>();
      let states = 0;
      for (let at = 1; at <= disk.length; at++) {
        if (!disk.changesAt(at)) continue;
        for (const survival of SURVIVALS) {
          const survivors = disk.survivors(at, survival);
          const key = createHash("sha256").update(survivors.join(" ")).digest("base64");
          if (seen.has(key)) continue;
          seen.add(key);
          if (states++ % options.step !== 0) continue;
          const what = `${name}, power cut after ${at} of ${disk.length}, unsynced: ${survival}`;
          execFileSync("cp", ["-a", template, place]);
          await removeTree(join(place, "root"));
          disk.materialise(survivors, join(place, "root"));
          forgetMemory(join(place, "root"));
          const ask = tried % options.askNix === 0;
          if (ask && scenario.damages !== true && askNix(place, what)) asked++;
          await assertRecovers(scenario, place, kept, what);
          if (ask && askNix(place, what)) asked++;
          await removeTree(place);
          tried++;
        }
      }
      t.diagnostic(`${name}: ${disk.length} changes and syncs, ${states} states of the disk`);
    }
  } finally {
    await removeTree(folder);
  }
  t.diagnostic(`${tried} power cuts tried, nix-store asked ${asked} times`);
  return tried;
}

/** What SQLite shares between processes lies in memory, and is made anew by the first. */
function forgetMemory(root: string): void {
  rmSync(join(root, "nix/var/nix/db/db.sqlite-shm"), { force: true });
}

/** The simulation must end with what the process really left. */
function checkReplay(disk: SimulatedDisk, real: string, target: string): void {
  disk.materialise(undefined, target);
  for (const root of [real, target]) forgetMemory(root);
  const hash = (folder: string): string => Buffer.from(narHashOfPathSync(folder, { include: (path) => !path.includes("/gc-socket/socket") }).hash.digest).toString("hex");
  if (hash(real) !== hash(target)) {
    let difference = "";
    try {
      execFileSync("diff", ["-r", "--no-dereference", real, target], { encoding: "utf8" });
    } catch (error) {
      difference = String((error as { stdout?: unknown }).stdout);
    }
    throw new Error(`the replay differs from what the process left: ${difference}`);
  }
  execFileSync("rm", ["-rf", target]);
}
