import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findCurrentToplevel, SYSTEM_PROFILE } from "../../core/system/activate/system-profile.ts";
import type { RunningMachine } from "../../core/system/running-machine.ts";
import { runTsos, type TsosProcess } from "../cli/tsos-process.ts";
import { assertSound, createPrivateStore, type PrivateStore } from "./private-store.ts";
import { createRandom } from "./seeded-random.ts";
import { assertOn, assertProfile, bootMachine, variants, writeVariant, type MachineVariant } from "./switch-kills.ts";

const KILLS = Number(process.env["TSOS_TEST_KILLS"] ?? 50);
const random = createRandom();

describe("a switch killed at random points", { skip: process.getuid!() === 0 ? false : "needs root", timeout: 900_000 }, () => {
  let store: PrivateStore;
  let root: string;
  let tsos: TsosProcess | undefined;
  let machine: RunningMachine;
  const toplevels: Record<string, string> = {};
  const go = (): TsosProcess => store.start("switch", "--no-check", "--root", root);

  before(async () => {
    store = createPrivateStore({});
    root = join(store.folder, "machine");
    for (const variant of Object.values(variants)) {
      writeVariant(store, variant);
      // Each has a root of the store, so that what is killed is the switch and not the build.
      toplevels[variant.name] = await store.do("build", "--no-check", "--no-link");
    }
  });

  after(async () => {
    tsos?.child.kill("SIGTERM");
    await tsos?.ended;
    await store?.[Symbol.asyncDispose]();
  });

  test("of a machine that is not running leaves it a generation to boot, and the next switch sets the new one", async (t) => {
    t.diagnostic(`TSOS_TEST_SEED=${random.seed}`);
    writeVariant(store, variants.first);
    const began = performance.now();
    await store.do("switch", "--no-check", "--root", root);
    const span = performance.now() - began;
    let killed = 0;
    let old = toplevels["first"]!;
    for (let round = 0; killed < KILLS; round++) {
      const variant = round % 2 === 0 ? variants.second : variants.first;
      const toplevel = toplevels[variant.name]!;
      writeVariant(store, variant);
      const tsos = go();
      await Promise.race([tsos.ended, sleep(random.next() * span)]);
      tsos.child.kill("SIGKILL");
      const { signal, code, stderr } = await tsos.ended;
      assert.ok(signal === "SIGKILL" || code === 0, stderr);
      if (signal === "SIGKILL") killed++;
      const between = readCurrent(root);
      assert.ok([old, toplevel].includes(between), between);
      await store.do("switch", "--no-check", "--root", root);
      assertProfile(root, toplevel);
      old = toplevel;
    }
    // What boots next is a root of the store.
    await store.do("gc");
    await assertSound(store);
    ({ tsos, machine } = await bootMachine(store, root));
    await assertOn(store, root, machine, old === toplevels["first"] ? variants.first : variants.second, old);
  });

  test("of a running machine ends, run again, on the new generation, or says that it is on the old one", async (t) => {
    t.diagnostic(`TSOS_TEST_SEED=${random.seed}`);
    const kills = await killSwitches(t);
    assert.equal(kills.tsos + kills.activator, KILLS);
    await assertSound(store);
  });

  async function killSwitches(t: TestContext): Promise<{ tsos: number; activator: number }> {
    const kills = { tsos: 0, activator: 0, early: 0, reverted: 0 };
    const current = readCurrent(root);
    let on = toplevels["first"] === current ? variants.first : variants.second;
    for (let round = 0; kills.tsos + kills.activator < KILLS; round++) {
      assert.ok(round < KILLS * 3, "too many switches end before they are killed");
      const sick = round % 5 === 4;
      const variant: MachineVariant = sick ? variants.sick : on === variants.first ? variants.second : variants.first;
      writeVariant(store, variant);
      const running = go();
      let over = false;
      void running.ended.then(() => (over = true));
      const killsActivator = random.next() < 0.5;
      if (killsActivator || random.next() < 0.7) {
        while (!over && !/stopping the following units/.test(running.stderr())) await sleep(5);
        await sleep(random.next() * (sick ? 1500 : 800));
      } else await sleep(random.next() * 1000);
      let code: number | null;
      if (killsActivator) {
        const { stdout } = await machine.run(["pkill", "-KILL", "-c", "-f", "activate.mjs"]);
        if (stdout.trim() === "0") kills.early++;
        else kills.activator++;
        const ended = await running.ended;
        code = ended.code;
        assert.ok([0, 1, 4].includes(code!), `exit code ${code}: ${ended.stderr}`);
        if (code === 1) assert.match(ended.stderr, /the activation was killed by signal 9/);
      } else {
        running.child.kill("SIGKILL");
        const ended = await running.ended;
        if (ended.signal === "SIGKILL") kills.tsos++;
        else kills.early++;
        code = ended.code;
      }
      const again = await store.run("switch", "--no-check", "--root", root);
      if (sick) {
        assert.equal(again.code, 4, again.stderr);
        assert.match(again.stderr, /reverted: the machine is on its old generation again/);
        kills.reverted++;
      } else {
        assert.equal(again.code, 0, again.stderr);
        on = variant;
      }
      await assertOn(store, root, machine, on, toplevels[on.name]!).catch((error: unknown) => {
        t.diagnostic(`round ${round}, ${variant.name}, ${killsActivator ? "activator" : "tsos"} killed:\n${running.stderr()}\nthen:\n${again.stderr}`);
        throw error;
      });
    }
    t.diagnostic(`killed: ${JSON.stringify(kills)}`);
    return kills;
  }

  test("can be rolled back without network, caches and configuration", async () => {
    const before = readCurrent(root);
    store.forgetCaches();
    const on = before === toplevels["first"] ? variants.first : variants.second;
    const other = on === variants.first ? variants.second : variants.first;
    const { code, stderr } = await runTsos(["--store", store.root, "switch", "--rollback", "--root", root], { ...store.options, cwd: root, prefix: ["unshare", "-n"] });
    assert.equal(code, 0, stderr);
    await assertOn(store, root, machine, other, toplevels[other.name]!);
  });

  test("leaves no lock, journal or half-made file in the machine's root once it is stopped", async () => {
    tsos!.child.kill("SIGTERM");
    await tsos!.ended;
    for (let tries = 0; tries < 200 && readFileSync("/proc/mounts", "utf8").includes(root); tries++) await sleep(50);
    const files = ["etc", "var/lib/tsos", "nix/var/nix/profiles", "run"].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`));
    assert.deepEqual(files.filter((name) => /tsos-new|activation\.json|tsos-machine|tmp-/.test(name)), []);
  });
});

/** The generation that boots next; there always is one. */
function readCurrent(root: string): string {
  const toplevel = findCurrentToplevel(join(root, SYSTEM_PROFILE));
  assert.ok(toplevel !== undefined, "the profile leads nowhere");
  return toplevel;
}
