import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLockFile, parseLockFile, type LockFile } from "../../../core/config/lock-file.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";

const narHash = "sha256-vGheraaxxhDmOaa1koi/P1uNlCRcSFCuh3Gd6yAkn/g=";
const lock: LockFile = {
  "hosts/b.config.ts": { z: { original: { type: "path", path: "./x" }, locked: { type: "path", path: "./x", narHash, lastModified: 3 }, url: "path:./x" } },
  "a.config.ts": {
    b: { original: { type: "git", url: "file:../r" }, locked: { url: "file:../r", type: "git", narHash, shallow: true }, url: "" },
    a: { original: { type: "git", url: "file:../r" }, locked: { url: "file:../r", type: "git", narHash }, url: "" },
  },
  "empty.config.ts": {},
};

test("the same inputs give the same text, sorted, and it reads back", () => {
  const text = formatLockFile(lock);
  assert.deepEqual(Object.keys((JSON.parse(text) as { inputs: object }).inputs), ["a.config.ts", "hosts/b.config.ts"]);
  assert.equal(formatLockFile(parseLockFile(text, "tsos.lock")), text);
  assert.match(text, /^\{\n {2}"version": 1,\n {2}"inputs": \{\n {4}"a\.config\.ts": \{\n {6}"a": \{\n {8}"locked": \{\n {10}"narHash"/);
});

test("what is wrong has its line", () => {
  const text = formatLockFile(lock);
  const cases: readonly (readonly [change: (text: string) => string, code: string, line: number, message: RegExp])[] = [
    [(t) => t.replace('      "b": {', '<<<<<<< HEAD\n      "b": {'), "lock.conflict", 17, /marks of a merge conflict/],
    [(t) => t.replace('"version": 1', '"version": 2'), "lock.version", 2, /has the version 2, expected 1/],
    [(t) => t.replace('"shallow": true', '"shallow": [true]'), "lock.invalid", 20, /"shallow" is neither/],
    [(t) => t.replace(narHash, "sha256-short"), "lock.invalid", 6, /"a" has no narHash in SRI form/],
    [(t) => t.replace('"type": "git"', '"tipe": "git"'), "lock.invalid", 6, /has no type/],
    [(t) => t.replace('"version": 1,', '"version": 1'), "lock.invalid", 3, /is not JSON/],
    [() => "[]", "lock.invalid", 1, /the file is not an object/],
    [() => '{ "version": 1 }', "lock.invalid", 1, /"inputs" is not an object/],
  ];
  for (const [change, code, line, message] of cases) {
    assert.throws(() => parseLockFile(change(text), "tsos.lock"), (error: unknown) => {
      assert.ok(error instanceof TsosError);
      assert.deepEqual([error.code, error.at?.file, error.at?.line], [code, "tsos.lock", line], error.message);
      assert.match(error.message, message);
      return true;
    });
  }
});
