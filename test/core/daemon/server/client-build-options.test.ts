import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { outputOf } from "../../build/build-fixture.ts";
import { startTestDaemon } from "./test-daemon.ts";

const NONE = { keepFailed: false, keepGoing: false, jobs: 1, cores: 0, useSubstitutes: true } as const;

test("files of the machine are shown to a trusted client's builds, and to nobody else's", async (t) => {
  for (const trusted of [true, false]) {
    const daemon = await startTestDaemon(t, { trusted });
    const file = join(daemon.fixture.root, "of-the-machine");
    writeFileSync(file, "shown");
    const probe = await daemon.fixture.derive({ name: "probe", script: "cat /seen > $out || echo hidden > $out" });
    const connection = await daemon.connect();
    await connection.setOptions({ ...NONE, settings: new Map([["sandbox-paths", `/seen=${file}`]]) });
    await connection.buildPaths([{ kind: "built", drvPath: probe.path, outputs: undefined }]);
    assert.equal(readFileSync(daemon.fixture.path(outputOf(probe)), "utf8").trim(), trusted ? "shown" : "hidden");
  }
});

test("platforms and features are a trusted client's to name, limits of time anybody's", async (t) => {
  for (const trusted of [true, false]) {
    const daemon = await startTestDaemon(t, { trusted });
    const { fixture } = daemon;
    const foreign = await fixture.derive({ name: "foreign", platform: "own-linux", script: "echo > $out", env: { requiredSystemFeatures: "own" } });
    const slow = await fixture.derive({ name: "slow", script: "exec sleep 1000" });
    const connection = await daemon.connect();
    await connection.setOptions({ ...NONE, settings: new Map([["extra-platforms", "own-linux"], ["system-features", "own"], ["timeout", "1"]]) });
    const build = (path: typeof foreign.path): Promise<unknown> => connection.buildPaths([{ kind: "built", drvPath: path, outputs: undefined }]);
    if (trusted) await build(foreign.path);
    else await assert.rejects(build(foreign.path), /own-linux/);
    await assert.rejects(build(slow.path), /after "1" seconds/);
  }
});
