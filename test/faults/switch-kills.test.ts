import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findCurrentToplevel, setSystemProfile, SYSTEM_PROFILE } from "../../core/system/activate/system-profile.ts";
import { addFile, addToplevel, type FixtureStore } from "../core/system/support/toplevel-fixture.ts";
import { createPrivateStore } from "./private-store.ts";
import { createRandom } from "./seeded-random.ts";
import { assertProfile } from "./switch-kills.ts";

test("switches killed at random points leave a machine that is not running a whole generation to boot", { timeout: 120_000 }, async (t) => {
  const random = createRandom();
  t.diagnostic(`TSOS_TEST_SEED=${random.seed}`);
  await using store = createPrivateStore({});
  const root = join(store.folder, "machine");
  await mkdir(store.realStoreDir, { recursive: true });
  const hash = (n: number): string => String(n).repeat(32);
  const activator = join(store.folder, "activate.mjs");
  writeFileSync(activator, "");
  const fixture: FixtureStore = { folder: store.realStoreDir, logical: "/nix/store", node: "/nix/store/node", shell: "/bin/sh", activator };
  addFile(fixture, `${hash(3)}-os/usr/bin/true`, "");
  const toplevels = [1, 2].map((n) => addToplevel(fixture, `${hash(n)}-system`, { hostName: `box-${n}`, osRoot: `/nix/store/${hash(3)}-os` }));
  const profile = join(root, SYSTEM_PROFILE);
  toplevels.forEach((toplevel, i) => setSystemProfile(profile, toplevel, i + 1));

  const switchTo = (number: number): readonly string[] => (number === 1 && random.next() < 0.5 ? ["switch", "--rollback", "--root", root] : ["switch", "--generation", String(number), "--root", root]);
  const began = performance.now();
  await store.do(...switchTo(1));
  const span = performance.now() - began;
  let killed = 0;
  for (let round = 0; killed < 8; round++) {
    assert.ok(round < 60, `only ${killed} of ${round} were killed before they ended`);
    const number = (round % 2 === 0) === (findCurrentToplevel(profile) === toplevels[0]) ? 2 : 1;
    const before = findCurrentToplevel(profile);
    const target = toplevels[number - 1]!;
    const words = before === target ? ["switch", "--generation", String(number), "--root", root] : switchTo(number);
    const tsos = store.start(...words);
    await Promise.race([tsos.ended, sleep(random.next() * span)]);
    tsos.child.kill("SIGKILL");
    const { signal, code, stderr } = await tsos.ended;
    assert.ok(signal === "SIGKILL" || code === 0, stderr);
    if (signal === "SIGKILL") killed++;
    const between = findCurrentToplevel(profile);
    assert.ok(between === before || between === target, between);
    await store.do("switch", "--generation", String(number), "--root", root);
    assertProfile(root, target);
  }
  const { code, stderr } = await store.run("switch", "--generation", "7", "--root", root);
  assert.equal(code, 1);
  assert.match(stderr, /there is no generation "7"[^]*there are the generations 1, 2/);
});
