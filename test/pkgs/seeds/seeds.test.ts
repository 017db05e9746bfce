import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatSeedLock } from "../../../cli/dev/seeds/format-seed-lock.ts";
import type { SeedLock } from "../../../pkgs/seeds/seed-lock.ts";
import { seedRequests } from "../../../pkgs/seeds/seed-requests.ts";
import { findSeed, getSeed, npmSeed, seedClosure, seedSet, sourceSeed } from "../../../pkgs/seeds/seeds.ts";

const text = readFileSync(new URL("../../../pkgs/seeds/seeds.lock.json", import.meta.url), "utf8");
const lock: SeedLock = JSON.parse(text);

test("the lock is sorted, small and in the form that its renewal writes", () => {
  assert.equal(formatSeedLock(lock), text);
  assert(text.length < 250_000);
  assert(!/https?:/.test(text), "no mirror's name");
});

test("the lock has all that is asked for, and all that its packages depend on", () => {
  for (const set of Object.values(seedRequests.sets)) for (const name of set) assert(findSeed(name), name);
  for (const [name, { depends = [], sha256, size, path }] of Object.entries(lock.debian)) {
    for (const dependency of depends) assert(findSeed(dependency), `${name} needs ${dependency}`);
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert(size > 0 && path.startsWith("pool/"));
  }
  for (const name of Object.keys(seedRequests.npm)) assert.match(npmSeed(name).integrity, /^sha512-/);
  for (const name of seedRequests.sources) assert.match(sourceSeed(name).url, /^mirror:\/\/debian\/pool\//);
});

test("a closure has each package once, what it depends on before it, and always the same order", () => {
  const names = seedClosure(["jq"]).map(({ name }) => name);
  assert.deepEqual(names, ["gcc-14-base", "libgcc-s1", "libc6", "libonig5", "libjq1", "jq"]);
  const all = seedClosure([...seedSet("os-root"), ...seedSet("git")]).map(({ name }) => name);
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(all, seedClosure([...seedSet("git"), ...seedSet("os-root")]).map(({ name }) => name));
});

test("a closure leaves out what is excluded and what only that needs", () => {
  const names = seedClosure(["jq"], { exclude: ["libjq1"] }).map(({ name }) => name);
  assert.deepEqual(names, ["gcc-14-base", "libgcc-s1", "libc6", "jq"]);
});

test("names what the lock does not have", () => {
  assert.equal(findSeed("no-such-package"), undefined);
  assert.equal(findSeed("constructor"), undefined);
  for (const get of [getSeed, npmSeed, sourceSeed, seedSet]) assert.throws(() => get("no-such-package"), /"no-such-package" is not/);
});
