import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findEvaluation, keepEvaluation, type EvaluationTrace } from "../../../core/interop/evaluation-cache.ts";
import { compareWorld, createEvaluationWorld, recordWorld, stampObservations, type EvaluationWorld, type Observation } from "../../../core/interop/evaluation-world.ts";

const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-evaluations-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const isUnchangedIn = (world: EvaluationWorld, observations: readonly Observation[]): boolean => compareWorld(world, observations).unchanged;
const worldWith = (environment: Readonly<Record<string, string>>) => createEvaluationWorld(environment, 1);
const fill = (folder: string): void => {
  mkdirSync(join(folder, "d/sub"), { recursive: true });
  writeFileSync(join(folder, "f"), "text");
  writeFileSync(join(folder, "d/a"), "a");
  writeFileSync(join(folder, "d/skip.tmp"), "not part of it");
  symlinkSync("f", join(folder, "l"));
};
/** Asks everything once. */
const ask = (folder: string, environment: Readonly<Record<string, string>>) => {
  const record = recordWorld(worldWith(environment));
  const { world } = record;
  assert.equal(world.kind(join(folder, "none")), undefined);
  assert.equal(world.kind(join(folder, "f/none")), undefined);
  assert.equal(world.kind(join(folder, "l")), "symlink");
  assert.equal(world.read(join(folder, "f")).toString(), "text");
  assert.equal(world.list(join(folder, "d")).length, 3);
  assert.equal(world.link(join(folder, "l")), "f");
  world.narHash(join(folder, "d"), (path) => !path.endsWith(".tmp"));
  assert.equal(world.environment("HERE"), "1");
  assert.equal(world.environment("GONE"), undefined);
  assert.ok(record.isRepeatable());
  return record.observations();
};

const changes: Readonly<Record<string, (folder: string) => void>> = {
  "a file's bytes": (folder) => writeFileSync(join(folder, "f"), "texT"),
  "a file that is gone": (folder) => unlinkSync(join(folder, "f")),
  "a file where there was none": (folder) => writeFileSync(join(folder, "none"), ""),
  "a link's target": (folder) => {
    unlinkSync(join(folder, "l"));
    symlinkSync("d", join(folder, "l"));
  },
  "a file in the place of a link": (folder) => {
    unlinkSync(join(folder, "l"));
    writeFileSync(join(folder, "l"), "text");
  },
  "one more name in a folder": (folder) => writeFileSync(join(folder, "d/b"), ""),
  "an executable bit in what was copied": (folder) => chmodSync(join(folder, "d/a"), 0o755),
  "a file deep in what was copied": (folder) => writeFileSync(join(folder, "d/sub/x"), ""),
  "a folder in the place of what was left out": (folder) => {
    unlinkSync(join(folder, "d/skip.tmp"));
    mkdirSync(join(folder, "d/skip.tmp"));
  },
};
for (const [what, change] of Object.entries(changes)) {
  test(`notices ${what}`, (t) => {
    const folder = folderOf(t);
    fill(folder);
    const observations = ask(folder, { HERE: "1" });
    assert.ok(isUnchangedIn(worldWith({ HERE: "1", MORE: "2" }), observations));
    change(folder);
    assert.ok(!isUnchangedIn(worldWith({ HERE: "1" }), observations));
  });
}

test("notices variables of the environment, set, changed or gone", (t) => {
  const folder = folderOf(t);
  fill(folder);
  const observations = ask(folder, { HERE: "1" });
  const others: readonly Readonly<Record<string, string>>[] = [{ HERE: "2" }, {}, { HERE: "1", GONE: "" }];
  for (const environment of others) assert.ok(!isUnchangedIn(worldWith(environment), observations));
});

/** A second in which nothing changes is too short for a stamp: as if all were older. */
const stamped = (folder: string, later = 10_000): readonly Observation[] => stampObservations(worldWith({}), ask(folder, { HERE: "1" }), Date.now() + later);
/** A world that counts what it is asked to read. */
const counting = (): { readonly world: EvaluationWorld; readonly reads: () => number } => {
  let reads = 0;
  const world = worldWith({ HERE: "1" });
  const counted = { ...world, read: (path: string) => (reads++, world.read(path)), list: (path: string) => (reads++, world.list(path)), narHash: (...args: Parameters<EvaluationWorld["narHash"]>) => (reads++, world.narHash(...args)) };
  return { world: counted, reads: () => reads };
};

test("reads nothing again where every stamp is the same", (t) => {
  const folder = folderOf(t);
  fill(folder);
  const observations = stamped(folder);
  const { world, reads } = counting();
  assert.deepEqual(compareWorld(world, observations), { unchanged: true, read: false });
  assert.equal(reads(), 0);
});

for (const [what, change] of Object.entries(changes)) {
  test(`notices ${what} by stamps too`, (t) => {
    const folder = folderOf(t);
    fill(folder);
    const observations = stamped(folder);
    change(folder);
    assert.ok(!isUnchangedIn(worldWith({ HERE: "1" }), observations));
  });
}

test("notices other bytes behind the same size and the same time of change", (t) => {
  const folder = folderOf(t);
  fill(folder);
  for (const file of ["f", "d/a"]) {
    const path = join(folder, file);
    const before = readFileSync(path);
    const { atime, mtime } = statSync(path);
    const observations = stamped(folder);
    writeFileSync(path, Buffer.alloc(before.length, "x"));
    utimesSync(path, atime, mtime);
    assert.ok(!isUnchangedIn(worldWith({ HERE: "1" }), observations), `${file}, written`);
    writeFileSync(path, before);
    const again = stamped(folder);
    writeFileSync(`${path}.new`, Buffer.alloc(before.length, "x"));
    utimesSync(`${path}.new`, atime, mtime);
    renameSync(`${path}.new`, path);
    assert.ok(!isUnchangedIn(worldWith({ HERE: "1" }), again), `${file}, replaced`);
    writeFileSync(path, before);
  }
});

test("trusts no stamp of what changed just before it was read", (t) => {
  const folder = folderOf(t);
  fill(folder);
  const observations = stamped(folder, 0);
  assert.ok(observations.every(([, , , , stamp]) => stamp === undefined));
  const { world, reads } = counting();
  assert.deepEqual(compareWorld(world, observations), { unchanged: true, read: true });
  assert.equal(reads(), 3);
});

test("reads what was written anew once, and finds the same", (t) => {
  const folder = folderOf(t);
  fill(folder);
  const observations = stamped(folder);
  writeFileSync(join(folder, "f"), readFileSync(join(folder, "f")));
  const { world, reads } = counting();
  assert.deepEqual(compareWorld(world, observations), { unchanged: true, read: true });
  assert.equal(reads(), 1);
});

test("does not mind what was left out of a copy", (t) => {
  const folder = folderOf(t);
  fill(folder);
  const record = recordWorld(worldWith({}));
  record.world.narHash(join(folder, "d"), (path) => !path.endsWith(".tmp"));
  const observations = stampObservations(worldWith({}), record.observations(), Date.now() + 10_000);
  writeFileSync(join(folder, "d/skip.tmp"), "other text");
  assert.ok(isUnchangedIn(worldWith({}), record.observations()));
  assert.ok(isUnchangedIn(worldWith({}), observations));
});

test("keeps nothing of an evaluation that asked for the time, failed to read, or saw a file change", (t) => {
  const folder = folderOf(t);
  fill(folder);
  const timed = recordWorld(worldWith({}));
  timed.world.time();
  assert.ok(!timed.isRepeatable());
  const failed = recordWorld(worldWith({}));
  assert.throws(() => failed.world.read(join(folder, "none")));
  assert.ok(!failed.isRepeatable());
  const changed = recordWorld(worldWith({}));
  changed.world.read(join(folder, "f"));
  writeFileSync(join(folder, "f"), "other");
  changed.world.read(join(folder, "f"));
  assert.ok(!changed.isRepeatable());
});

test("finds a trace whole or not at all, whatever byte is damaged", (t) => {
  const folder = folderOf(t);
  const trace: EvaluationTrace = { observations: [], events: [["print", "caf\xe9 \u2192\n"], ["found", { drvPath: "/nix/store/x.drv", outputName: "out" }]], stored: ["x.drv"] };
  keepEvaluation(folder, "key", trace);
  assert.deepEqual(findEvaluation(folder, "key", worldWith({})), trace);
  assert.equal(findEvaluation(folder, "other", worldWith({})), undefined);
  const whole = readFileSync(join(folder, "key"));
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 1;
    writeFileSync(join(folder, "key"), damaged);
    assert.equal(findEvaluation(folder, "key", worldWith({})), undefined, `byte ${at}`);
  }
});

test("drops the oldest traces beyond its size", (t) => {
  const folder = folderOf(t);
  const trace: EvaluationTrace = { observations: [], events: [["print", "x".repeat(8 * 1024 * 1024)]], stored: [] };
  for (let n = 0; n < 10; n++) keepEvaluation(folder, `key${n}`, trace);
  assert.equal(readdirSync(folder).length, 7);
  assert.ok(findEvaluation(folder, "key9", worldWith({})) !== undefined);
});
