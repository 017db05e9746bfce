import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultFlags, findWrongFlag, readGlobalFlags, type ParsedGlobals } from "../../cli/global-flags.ts";

const none: ParsedGlobals = { json: false, quiet: false, verbose: false, color: "auto", offline: false, locked: false, keepFailed: false, keepGoing: false };

test("a command line without flags has the defaults", () => {
  assert.deepEqual(readGlobalFlags(none, "/work"), defaultFlags);
});

test("of a flag that is given twice the last counts", () => {
  const flags = readGlobalFlags({ ...none, jobs: [2, 3], json: [false, true], color: ["always", "never"] }, "/");
  assert.deepEqual([flags.jobs, flags.json, flags.color], [3, true, "never"]);
});

test("paths are taken from the folder that the command runs in", () => {
  const flags = readGlobalFlags({ ...none, root: "machine", store: "./store", config: ["/a.ts", "b.ts"] }, "/home/dev");
  assert.deepEqual([flags.root, flags.store, flags.config], ["/home/dev/machine", "/home/dev/store", "/home/dev/b.ts"]);
});

test("refuses numbers of jobs and cores that are none", () => {
  assert.equal(findWrongFlag({ ...none, jobs: 4, cores: 0 }), undefined);
  for (const jobs of [0, -1, 1.5, NaN]) assert.match(findWrongFlag({ ...none, jobs }) ?? "", /^--jobs must be/);
  for (const cores of [-1, 0.5, NaN]) assert.match(findWrongFlag({ ...none, cores }) ?? "", /^--cores must be/);
  assert.equal(findWrongFlag({ ...none, root: "" }), "--root needs a path");
});
