import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { formatHash } from "../../core/hash/hash.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import { assertNoLeftovers, assertNoProcesses, assertSound, type PrivateStore } from "./private-store.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type BuildKills = {
  readonly random: SeededRandom;
  readonly kills: number;
  /** Never killed; what it gives is what the other must give. */
  readonly untouched: PrivateStore;
  readonly store: PrivateStore;
  /** The commands that are killed, by turns; the last one is the build of everything. */
  readonly commands: readonly (readonly string[])[];
};

/**
 * Kills a build as often as asked, looks after each kill whether anything is wrong, and lets it end. When it ends
 * before it is killed, all is collected (the collector is killed too) and it begins again from nothing.
 */
export async function killBuilds(t: TestContext, { random, kills, untouched, store, commands }: BuildKills): Promise<void> {
  t.diagnostic(`TSOS_TEST_SEED=${random.seed}`);
  const whole = commands.at(-1)!;
  const began = performance.now();
  const wanted: string[] = [];
  for (const command of commands) wanted.push(await untouched.do(...command));
  const span = Math.min(performance.now() - began, 20_000);

  let killed = 0;
  let ended = 0;
  let collectorsKilled = 0;
  let spent = 0;
  let asked = true;
  for (let round = 0; killed < kills; round++) {
    assert.ok(round < kills * 8, `only ${killed} of ${round} were killed before they ended`);
    const tsos = store.start(...commands[round % commands.length]!);
    // What earlier rounds got done need not be done again, so less time is left to be killed in.
    const delay = random.next() * Math.max(span / 3, span - spent / 2);
    spent += delay;
    const result = await Promise.race([tsos.ended, sleep(delay, undefined)]);
    tsos.child.kill("SIGKILL");
    const { code, signal, stderr } = await tsos.ended;
    assert.ok(signal === "SIGKILL" || code === 0, `exit code ${code} after ${delay} ms: ${stderr}`);
    if (signal === "SIGKILL") killed++;
    await assertNoProcesses(store, tsos.pid);
    if (signal === "SIGKILL") asked = (await assertSound(store)) && asked;
    if (result !== undefined && ++ended % commands.length === 0) {
      rmSync(join(store.project, "result"), { force: true });
      const collector = store.start("gc");
      await Promise.race([collector.ended, sleep(random.next() * 1500)]);
      collector.child.kill("SIGKILL");
      if ((await collector.ended).signal === "SIGKILL") collectorsKilled++;
      await assertSound(store);
      await store.do("gc");
      await assertNoLeftovers(store);
      spent = 0;
    }
    if (random.next() < 0.15) store.forgetCaches();
  }

  for (const [i, command] of commands.entries()) assert.equal(await store.do(...command), wanted[i]);
  assert.deepEqual(await contentsOf(store, wanted), await contentsOf(untouched, wanted));
  await store.do("gc");
  await assertNoLeftovers(store);
  assert.equal(await store.do(...whole), wanted.at(-1));
  asked = (await assertSound(store)) && asked;
  t.diagnostic(`${killed} builds and ${collectorsKilled} collectors killed, ${ended} builds ended before; a whole build took ${Math.round(span)} ms${asked ? "" : "; nix-store is not installed, so the reference was not asked"}`);
}

/** Every path of the closure with the hash of its contents. */
async function contentsOf({ root }: PrivateStore, paths: readonly string[]): Promise<readonly string[]> {
  await using opened = await openLocalStore({ root });
  const closure = await opened.closure(paths.map((path) => parseStorePath(path)));
  return await Promise.all([...closure].sort().map(async (path) => `${path} ${formatHash((await opened.getPathInfo(path)).narHash, "sri")}`));
}
