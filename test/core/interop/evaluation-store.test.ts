import assert from "node:assert/strict";
import { test } from "node:test";
import { openDaemonStore } from "../../../core/daemon/client/open-daemon-store.ts";
import { derivationReferences } from "../../../core/derivation/derivation-store-path.ts";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { formatDerivation } from "../../../core/derivation/format-derivation.ts";
import { createEvaluationStore } from "../../../core/interop/evaluation-store.ts";
import { createBuildFixture } from "../build/build-fixture.ts";
import { startTestDaemon } from "../daemon/server/test-daemon.ts";

test("a chain of derivations comes into a daemon's store, each after those that it needs", async (t) => {
  const daemon = await startTestDaemon(t, { trusted: false });
  await using near = await createBuildFixture();
  const chain: FinishedDerivation[] = [];
  for (let i = 0; i < 40; i++) {
    const last = chain.at(-1);
    chain.push(await near.derive({ name: `link-${i}`, builder: "/bin/sh", output: { kind: "floating", method: "nar", algorithm: "sha256" }, inputs: last === undefined ? [] : [last] }));
  }
  await using store = openDaemonStore({ root: daemon.fixture.root, socket: daemon.socket });
  const evaluation = createEvaluationStore(store, () => assert.fail("nothing is to be built"));
  evaluation.put(chain.map(({ path, derivation }) => ({ kind: "text", path, name: `${derivation.name}.drv`, contents: formatDerivation(derivation), references: [...derivationReferences(derivation)] })));
  await evaluation.settle();
  assert.equal((await daemon.fixture.store.queryValidPaths(chain.map(({ path }) => path))).size, chain.length);
  assert.deepEqual(daemon.errors, []);
});
