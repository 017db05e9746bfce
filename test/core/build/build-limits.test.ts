import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import type { BuildLimits } from "../../../core/build/build-limits.ts";
import { loadBuildSettings } from "../../../core/build/load-build-settings.ts";
import { findBuildLog } from "../../../core/build/build-log.ts";
import { createBuildFixture } from "./build-fixture.ts";

for (const [what, script, limits, expected] of [
  ["takes too long", "while true; do echo on; sleep 0.1; done", { timeout: 1 }, /killed after "1" seconds$/m],
  ["says nothing for too long", "echo begun; sleep 60", { maxSilentTime: 1 }, /killed after "1" seconds of silence/],
  ["says too much", "while true; do echo many words; done", { maxLogSize: 100_000 }, /killed after writing more than "100000" bytes/],
] satisfies readonly (readonly [string, string, BuildLimits, RegExp])[]) {
  test(`a builder that ${what} is killed, and this is said`, { timeout: 30_000 }, async () => {
    await using fixture = await createBuildFixture();
    const derivation = await fixture.derive({ name: "endless", script });
    await assert.rejects(fixture.build([derivation], { limits }), expected);
    const log = await findBuildLog(fixture.store, derivation.path);
    assert.ok(statSync(log!.file).size <= 100_000);
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
  });
}

test("a builder within its limits is not disturbed", async () => {
  await using fixture = await createBuildFixture();
  const derivation = await fixture.derive({ name: "short", script: "for i in 1 2 3 4; do echo $i; sleep 0.5; done; echo done > $out" });
  await fixture.build([derivation], { limits: { timeout: 30, maxSilentTime: 1, maxLogSize: 1000 } });
});

test("limits come from the settings, the user's over the machine's", async () => {
  const files: Readonly<Record<string, string>> = { "/etc/tsos/settings.json": '{ "timeout": 60, "maxSilentTime": 5, "autoOptimise": true }', "/h/.config/tsos/settings.json": '{ "timeout": 0 }' };
  const load = (one: Readonly<Record<string, string>>): ReturnType<typeof loadBuildSettings> => loadBuildSettings({ env: { HOME: "/h" }, readFile: async (file) => one[file] });
  assert.deepEqual(await load(files), { limits: { timeout: 0, maxSilentTime: 5, maxLogSize: undefined }, autoOptimise: true, space: undefined, rootsExpireAfter: undefined });
  const spacious = await load({ "/etc/tsos/settings.json": `{ "minFree": 1000, "maxFree": 500, "rootsExpireAfterDays": 30 }` });
  assert.deepEqual(spacious.space, { minFree: 1000, maxFree: 1000, rootsExpireAfter: 30 * 86_400_000 });
  await assert.rejects(load({ "/etc/tsos/settings.json": '{ "timeout": "1h" }' }), /"timeout" is "1h" in "\/etc\/tsos\/settings.json"/);
});
