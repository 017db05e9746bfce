import assert from "node:assert/strict";
import { test } from "node:test";
import { copyPaths } from "../../../../core/cache/copy-paths.ts";
import { findOutputsAt, receiveRealisations, sendRealisations } from "../../../../core/daemon/client/copy-realisations.ts";
import { openRemoteStore } from "../../../../core/daemon/client/open-remote-store.ts";
import { inputPlaceholder } from "../../../../core/derivation/placeholder.ts";
import { createBuildFixture, type BuildFixture } from "../../build/build-fixture.ts";
import { startTestDaemon } from "../server/test-daemon.ts";

const FLOATING = { kind: "floating", method: "nar", algorithm: "sha256" } as const;

async function deriveTwo(fixture: BuildFixture) {
  const root = await fixture.derive({ name: "root", output: FLOATING, script: "echo $out > $out" });
  return fixture.derive({ name: "user", output: FLOATING, inputs: [root], env: { root: inputPlaceholder(root.path, "out") }, script: "echo $root > $out" });
}

test("what floating outputs turned out to be goes with them to a daemon and comes back from it", async (t) => {
  const { signal } = new AbortController();
  const { fixture: far, url } = await startTestDaemon(t, { contentAddressed: true });
  await using near = await createBuildFixture();
  await using other = await createBuildFixture();
  const user = await deriveTwo(near);
  const path = (await near.build([user], { contentAddressed: true })).get(user.path)!.get("out")!;
  await using remote = openRemoteStore(url, { environment: {} });
  await copyPaths(near.store, remote, [path, user.path], {});
  // Of the derivation, of what it was resolved to, and of its input.
  assert.equal(await sendRealisations(near.store, remote, await near.store.closure([path]), signal), 3);
  const id = (await near.store.findOutputId(user.path, "out"))!;
  assert.equal((await far.store.findRealisation(id))?.path, path);

  await copyPaths(remote, other.store, [user.path], {});
  assert.deepEqual(await findOutputsAt(remote, other.store, user.path, undefined, signal), [path]);
  await assert.rejects(findOutputsAt(remote, other.store, user.path, ["doc"], signal), { code: "daemon.unknown-output" });
  await copyPaths(remote, other.store, [path], {});
  const receive = (isTaken: boolean): Promise<number> => receiveRealisations(remote, other.store, [path, user.path], () => isTaken, signal);
  assert.equal(await receive(false), 0);
  assert.equal((await other.store.queryDerivationOutputs(user.path)).size, 0);
  assert.equal(await receive(true), 1);
  other.events.length = 0;
  assert.equal((await other.build([user], { contentAddressed: true, jobs: 0 })).get(user.path)!.get("out"), path);
  assert.deepEqual(other.events, []);
});
