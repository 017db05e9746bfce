import assert from "node:assert/strict";
import { lutimesSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keepSpace } from "../../../core/build/space-keeper.ts";
import { formatStorePath } from "../../../core/store-path/store-path.ts";
import type { ProgressEvent } from "../../../core/util/progress.ts";
import { temporaryStore } from "../store/temporary-store.ts";
import { createBuildFixture, outputOf } from "./build-fixture.ts";

test("collects as much as is missing, once for all who wait, and nothing while there is room", async (t) => {
  const { store } = await temporaryStore(t);
  const { openLocalStore } = await import("../../../core/store/local-store.ts");
  {
    // By another store, whose temporary roots end with it.
    await using other = await openLocalStore({ root: store.realStoreDir.slice(0, -"/nix/store".length) });
    for (let n = 0; n < 5; n++) await other.addTextToStore(`dead-${n}`, String(n).repeat(100_000), []);
  }
  let free = 1_000_000;
  const messages: string[] = [];
  const report = (event: ProgressEvent): void => void (event.kind === "message" && messages.push(event.text));
  await using space = keepSpace(store, { limits: { minFree: 900_000, maxFree: 1_100_000 }, report, available: () => free });
  await space.makeRoom();
  assert.equal((await store.queryAllValidPaths()).length, 5);
  free = 899_999;
  await Promise.all([space.makeRoom(), space.makeRoom(), space.makeRoom()]);
  // Two of 100 kB are 200,001 bytes only with the third.
  const left = (await store.queryAllValidPaths()).length;
  assert.ok(left === 2 || left === 3, `${left} left`);
  assert.equal(messages.filter((text) => text.includes("collecting garbage")).length, 1);
});

test("a build on a disk with too little room deletes garbage first, and never what it needs", async () => {
  await using fixture = await createBuildFixture();
  const { openLocalStore } = await import("../../../core/store/local-store.ts");
  let dead;
  let kept;
  {
    await using other = await openLocalStore({ root: fixture.root });
    dead = await other.addTextToStore("dead", "dead", []);
    kept = await other.addTextToStore("kept", "kept", []);
    symlinkSync(formatStorePath(kept), join(other.stateDir, "gcroots/kept"));
  }
  const bottom = await fixture.derive({ name: "bottom", script: "echo bottom > $out" });
  const top = await fixture.derive({ name: "top", inputs: [bottom], env: { bottom: `/nix/store/${outputOf(bottom)}` }, script: "echo $bottom > $out" });
  await fixture.build([top], { space: { minFree: Number.MAX_SAFE_INTEGER, maxFree: 0 } });
  const { store } = fixture;
  assert.deepEqual([...(await store.queryValidPaths([dead, kept, outputOf(top), outputOf(bottom), fixture.tools]))].sort(), [kept, outputOf(top), outputOf(bottom), fixture.tools].sort());
  assert.deepEqual(await store.verify({ checkContents: true }), []);
});

test("a project's roots expire with the time of their link, and count again when they are made again", async (t) => {
  const { store, folder } = await temporaryStore(t);
  const { openLocalStore } = await import("../../../core/store/local-store.ts");
  const paths = await (async () => {
    await using other = await openLocalStore({ root: store.realStoreDir.slice(0, -"/nix/store".length) });
    const made = [await other.addTextToStore("old", "old", []), await other.addTextToStore("new", "new", [])];
    for (const [i, path] of made.entries()) await other.addPermanentRoot(path, join(folder, `result-${i}`));
    return made;
  })();
  const old = new Date(Date.now() - 40 * 86_400_000);
  lutimesSync(join(folder, "result-0"), old, old);
  const rootsOlderThan = new Date(Date.now() - 30 * 86_400_000);
  assert.deepEqual((await store.collectGarbage({ dryRun: true })).deleted, []);
  assert.deepEqual((await store.collectGarbage({ dryRun: true, rootsOlderThan })).deleted, [formatStorePath(paths[0]!)]);
  const now = new Date();
  lutimesSync(join(folder, "result-0"), now, now);
  assert.deepEqual((await store.collectGarbage({ rootsOlderThan })).deleted, []);
  lutimesSync(join(folder, "result-0"), old, old);
  assert.deepEqual((await store.collectGarbage({ rootsOlderThan })).deleted, [formatStorePath(paths[0]!)]);
  assert.equal(await store.isValidPath(paths[1]!), true);
});
