import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDebianIndex, parseDependencies } from "../../../../cli/dev/seeds/debian-index.ts";
import { compareDebianVersions } from "../../../../cli/dev/seeds/debian-version.ts";
import { resolveSeeds } from "../../../../cli/dev/seeds/resolve-seeds.ts";
import type { SeedRequests } from "../../../../pkgs/seeds/seed-requests.ts";

test("orders Debian versions as dpkg does", () => {
  const sorted = ["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-2", "1.0+dfsg-1", "1.0.1-1", "1.2-1", "1.10-1", "1:0.1-1"];
  assert.deepEqual([...sorted].reverse().sort(compareDebianVersions), sorted);
  assert.equal(compareDebianVersions("1.0", "1.0-0"), 0);
});

test("reads dependencies without versions, architectures and profiles", () => {
  assert.deepEqual(parseDependencies("a (>= 1), b:any | c [amd64] <!nocheck>, d"), [["a"], ["b", "c"], ["d"]]);
  assert.deepEqual(parseDependencies(""), []);
});

const stanza = (name: string, version: string, depends = "", provides = ""): string =>
  `Package: ${name}\nVersion: ${version}\nDepends: ${depends}\nProvides: ${provides}\nDescription: x\n continued\nFilename: pool/${name}.deb\nSize: 1\nSHA256: 00\n`;

const requests = (sets: Readonly<Record<string, readonly string[]>>, more: Partial<SeedRequests> = {}): SeedRequests => ({
  suite: "s", architecture: "a", sets, providers: {}, excluded: [], excludedEdges: {}, npm: {}, sources: [], ...more,
});

test("takes the newest version, the first alternative that exists, the provider of a virtual package", () => {
  const index = parseDebianIndex([stanza("a", "1"), stanza("a", "2", "none | b, virtual, chosen"), stanza("b", "1"), stanza("v", "1", "", "virtual (= 1)"), stanza("c1", "1", "", "chosen"), stanza("c2", "1", "", "chosen")].join("\n"));
  const lock = resolveSeeds(index, requests({ x: ["a"] }, { providers: { chosen: "c2" } }));
  assert.deepEqual(Object.keys(lock), ["a", "b", "c2", "v"]);
  assert.equal(lock["a"]!.version, "2");
  assert.deepEqual(lock["a"]!.depends, ["b", "c2", "v"]);
});

test("leaves out excluded packages and edges, and ends on cycles", () => {
  const index = parseDebianIndex([stanza("a", "1", "b, debconf | debconf-2.0, big"), stanza("b", "1", "a"), stanza("big", "1")].join("\n"));
  const lock = resolveSeeds(index, requests({ x: ["a"] }, { excluded: ["debconf"], excludedEdges: { a: ["big"] } }));
  assert.deepEqual(Object.keys(lock), ["a", "b"]);
});

test("rejects what nothing provides, and a misspelt request", () => {
  const index = parseDebianIndex([stanza("gawk", "1", "nothing"), stanza("p1", "1", "", "many"), stanza("p2", "1", "", "many"), stanza("m", "1", "many")].join("\n"));
  assert.throws(() => resolveSeeds(index, requests({ x: ["gawk"] })), { code: "seeds.unresolved", message: /"nothing"/ });
  assert.throws(() => resolveSeeds(index, requests({ x: ["m"] })), { code: "seeds.unresolved", message: /"many"/ });
  assert.throws(() => resolveSeeds(index, requests({ x: ["gawkk"] })), { code: "seeds.unknown-package", hint: /"gawk"/ });
});
