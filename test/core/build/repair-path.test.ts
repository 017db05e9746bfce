import assert from "node:assert/strict";
import { chmodSync, closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repairPath } from "../../../core/build/repair-path.ts";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { createSubstituters } from "../../../core/cache/substituters.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import type { StorePath } from "../../../core/store-path/store-path.ts";
import { createBuildFixture, outputOf, outputText, type BuildFixture } from "./build-fixture.ts";

async function createDamaged(): Promise<BuildFixture & { readonly output: StorePath; readonly user: StorePath; readonly file: string; damage(): void }> {
  const fixture = await createBuildFixture();
  const built = await fixture.derive({ name: "built", script: "mkdir $out; echo right > $out/file" });
  const user = await fixture.derive({ name: "user", script: `echo ${outputText(built)} > $out`, inputs: [built] });
  await fixture.build([user]);
  const output = outputOf(built);
  const file = join(fixture.store.realPath(output), "file");
  return {
    ...fixture,
    output,
    user: outputOf(user),
    file,
    damage() {
      chmodSync(file, 0o644);
      writeFileSync(file, "wrong\n");
      chmodSync(file, 0o444);
    },
  };
}

test("a damaged path is built again, exchanged at once, and its users stay valid", async () => {
  await using fixture = await createDamaged();
  fixture.damage();
  const before = await fixture.store.getPathInfo(fixture.output);
  const descriptor = openSync(fixture.file, "r");
  assert.equal(await repairPath(fixture.store, fixture.output, { build: fixture.options() }), "built");
  assert.equal(readFileSync(fixture.file, "utf8"), "right\n");
  // Who had the damaged file open still reads that one: it was replaced, not written to.
  const bytes = Buffer.alloc(6);
  readSync(descriptor, bytes, 0, 6, 0);
  closeSync(descriptor);
  assert.equal(bytes.toString(), "wrong\n");
  const after = await fixture.store.getPathInfo(fixture.output);
  assert.deepEqual(after, before);
  assert.ok(await fixture.store.isValidPath(fixture.user));
  assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
  assert.equal(await repairPath(fixture.store, fixture.output, { build: fixture.options() }), "sound");
});

test("a path whose files are gone is repaired though others need it", async () => {
  await using fixture = await createDamaged();
  rmSync(fixture.store.realPath(fixture.output), { recursive: true });
  const problems = await fixture.store.verify({ keepMissing: true });
  assert.deepEqual(problems.map(({ kind }) => kind), ["missing"]);
  await repairPath(fixture.store, fixture.output, { build: fixture.options() });
  assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
});

test("a damaged path is taken from a cache that has it, without a build", async () => {
  await using fixture = await createDamaged();
  const cache = await openBinaryCache(`file://${fixture.root}/cache?trusted=1`, { settings: plainFetchSettings, environment: {} });
  await copyPaths(fixture.store, cache, [fixture.user]);
  fixture.damage();
  fixture.events.length = 0;
  const substituter = createSubstituters({ store: fixture.store, caches: [cache], trust: { publicKeys: [], requireSignatures: true } });
  assert.equal(await repairPath(fixture.store, fixture.output, { substituter, build: fixture.options() }), "substituted");
  assert.deepEqual(fixture.events, []);
  assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
});

test("what no cache has and nothing builds is said, and stays as it is", async () => {
  await using fixture = await createDamaged();
  const added = await fixture.store.addTextToStore("text", "right", []);
  const file = fixture.store.realPath(added);
  chmodSync(file, 0o644);
  writeFileSync(file, "wrong");
  await assert.rejects(repairPath(fixture.store, added, { build: fixture.options() }), { code: "store.cannot-repair", message: /no binary cache has it/ });
  assert.equal(readFileSync(file, "utf8"), "wrong");
});
