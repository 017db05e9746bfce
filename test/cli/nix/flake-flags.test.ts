/** What Nix 2.34.8 prints of the same command lines, where it does not depend on times. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const folder = (name: string): string => join(trial.folder, name);
const flake = (name: string, text: string): void => {
  mkdirSync(folder(name), { recursive: true });
  writeFileSync(join(folder(name), "flake.nix"), text);
};
flake("b", '{ outputs = _: { v = "b"; }; }');
flake("c", `{ inputs.deep.url = "path:${folder("b")}"; outputs = { self, deep }: { v = "c " + deep.v; }; }`);
flake("d", `{ inputs.deep.url = "path:${folder("b")}"; outputs = { self, deep }: { v = "d " + deep.v; }; }`);
flake("a", `{ inputs.one.url = "path:${folder("c")}"; inputs.two = { url = "path:${folder("b")}"; flake = false; }; inputs.three.url = "named"; outputs = { self, one, two, three }: { v = [ one.v three.v ]; two = builtins.attrNames (builtins.readDir two); }; }`);
flake("from", `{ inputs.named.url = "path:${folder("d")}"; outputs = _: { }; }`);
const registry = folder("registry.json");
writeFileSync(registry, JSON.stringify({ version: 2, flakes: [{ from: { type: "indirect", id: "named" }, to: { type: "path", path: folder("b") } }] }));

const lockFile = join(folder("a"), "flake.lock");
beforeEach(() => rmSync(lockFile, { force: true }));
const evaluate = (word: string, ...args: string[]) => trial.run("eval", "--json", `path:${folder("a")}#${word}`, "--option", "flake-registry", registry, ...args);
const value = (word: string, ...args: string[]): unknown => {
  const result = evaluate(word, ...args);
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout);
};
const lastLine = (text: string): string => text.trim().split("\n").at(-1)!.trim();

test("--override-input exchanges an input, an input's input and what is no flake, and writes no lock file", () => {
  assert.deepEqual(value("v"), ["c b", "b"]);
  const locked = readFileSync(lockFile, "utf8");
  assert.deepEqual(value("v", "--override-input", "one", `path:${folder("d")}`), ["d b", "b"]);
  assert.deepEqual(value("v", "--override-input", "one/deep", `path:${folder("d")}`), ["c d b", "b"]);
  assert.deepEqual(value("v", "--override-input", "one", "named"), ["b", "b"]);
  assert.deepEqual(value("two", "--override-input", "two", `path:${folder("from")}`), ["flake.nix"]);
  assert.equal(readFileSync(lockFile, "utf8"), locked);
  const result = evaluate("v", "--override-input", "none", "./d");
  assert.equal(result.stderr, `warning: input '' has an override for a non-existent input 'none'\nwarning: the flag '--override-input none path:${folder("d")}' does not match any input\n`);
  assert.match(evaluate("v", "--override-input", "", "./d").stderr, /^error: --override-input was passed a zero-length input path, which would refer to the flake itself, not an input\n/);
});

test("a lock file that is not written is described", () => {
  const result = evaluate("v", "--no-write-lock-file");
  assert.match(result.stderr, /^warning: not writing modified lock file of flake 'path:[^']*\/a':\n• Added input 'one':\n/);
  assert.equal(existsSync(lockFile), false);
  const refused = evaluate("v", "--no-update-lock-file");
  assert.equal(lastLine(refused.stderr), `error: flake 'path:${folder("a")}' requires lock file changes but they're not allowed due to '--no-update-lock-file'`);
});

test("--update-input and --recreate-lock-file lock anew what changed", () => {
  value("v");
  const changed = (): void => writeFileSync(lockFile, readFileSync(lockFile, "utf8").replaceAll(/"lastModified": \d+/g, '"lastModified": 1'));
  changed();
  const updated = evaluate("v", "--update-input", "one");
  assert.match(updated.stderr, /^warning: '--update-input' is a deprecated alias for 'flake update' and will be removed in a future version\.\n/);
  assert.match(updated.stderr, /\n• Updated input 'one':\n/);
  assert.doesNotMatch(updated.stderr, /Updated input 'two'/);
  changed();
  const recreated = evaluate("v", "--recreate-lock-file");
  for (const name of ["one", "one/deep", "two", "three"]) assert.match(recreated.stderr, new RegExp(`• Updated input '${name}':`));
  assert.match(evaluate("v", "--update-input", "none").stderr, /warning: 'none' does not match any input of this flake/);
});

test("--output-lock-file and --reference-lock-file stand for the flake's own", () => {
  const other = folder("other.lock");
  value("v", "--output-lock-file", other);
  assert.equal(existsSync(lockFile), false);
  const result = evaluate("v", "--reference-lock-file", other);
  assert.equal(result.stderr, "");
  assert.equal(existsSync(lockFile), false);
  value("v", "--reference-lock-file", other, "--output-lock-file", "copy.lock");
  assert.equal(readFileSync(folder("copy.lock"), "utf8"), readFileSync(other, "utf8"));
});

test("--override-flake and --inputs-from stand before all registries", () => {
  assert.deepEqual(value("v", "--no-write-lock-file", "--override-flake", "named", `path:${folder("d")}`), ["c b", "d b"]);
  assert.deepEqual(value("v", "--no-write-lock-file", "--inputs-from", `path:${folder("from")}`), ["c b", "d b"]);
  const none = trial.run("eval", "named#v", "--no-use-registries");
  assert.equal(none.stderr, "error: 'flake:named' is an indirect flake reference, but registry lookups are not allowed\n");
});

test("the registry of everyone may be fetched", async () => {
  await using server = createServer((_, response) => response.end(readFileSync(registry)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/registry.json`;
  const running = trial.start("eval", "--json", `path:${folder("a")}#v`, "--option", "flake-registry", url, "--no-write-lock-file");
  assert.equal((await running.ended).code, 0, running.stderr());
});
