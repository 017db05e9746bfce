import assert from "node:assert/strict";
import { test } from "node:test";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import type { SourceAttributes } from "../../../../core/fetch/source/attributes.ts";
import { checkSource, formatSource, isLockedSource, parseSource } from "../../../../core/fetch/source/source.ts";

const REV = "be269335718058bb1617ee9483cd14369127d4dc";
const HASH = "sha256-vGheraaxxhDmOaa1koi/P1uNlCRcSFCuh3Gd6yAkn/g=";

/** URL, its attributes, and the URL that is made of these where it is another. */
const URLS: readonly (readonly [url: string, attributes: SourceAttributes, again?: string])[] = [
  ["github:a/b", { type: "github", owner: "a", repo: "b" }],
  ["github:a/b/main", { type: "github", owner: "a", repo: "b", ref: "main" }],
  ["github:a/b/feature/x", { type: "github", owner: "a", repo: "b", ref: "feature/x" }, "github:a/b/feature%2Fx"],
  [`github:a/b/${REV}`, { type: "github", owner: "a", repo: "b", rev: REV }],
  [`github:a/b?ref=main&host=git.example`, { type: "github", owner: "a", repo: "b", ref: "main", host: "git.example" }, "github:a/b/main?host=git.example"],
  ["gitlab:a%2Fc/b", { type: "gitlab", owner: "a/c", repo: "b" }],
  ["sourcehut:~a/b", { type: "sourcehut", owner: "~a", repo: "b" }],
  ["git+https://h.example/a.git?ref=main&shallow=1&x=y", { type: "git", url: "https://h.example/a.git?x=y", ref: "main", shallow: true }, "git+https://h.example/a.git?ref=main&shallow=1&x=y"],
  ["git+file:///a/b", { type: "git", url: "file:///a/b" }],
  ["git+ssh://git@h.example/a", { type: "git", url: "ssh://git@h.example/a" }],
  ["git://h.example/a", { type: "git", url: "git://h.example/a" }],
  ["https://h.example/a.tar.gz", { type: "tarball", url: "https://h.example/a.tar.gz" }],
  [`https://h.example/a.tar.gz?narHash=${encodeURIComponent(HASH)}&q=1&rev=${REV}`, { type: "tarball", url: "https://h.example/a.tar.gz?q=1", narHash: HASH, rev: REV }, `https://h.example/a.tar.gz?narHash=${HASH.replace("=", "%3D")}&q=1`],
  ["tarball+file:///a/b", { type: "tarball", url: "file:///a/b" }, "file:///a/b"],
  ["file+https://h.example/a", { type: "file", url: "https://h.example/a" }, "https://h.example/a"],
  ["path:/a/b%20c", { type: "path", path: "/a/b c" }],
  ["path:./a?lastModified=5", { type: "path", path: "./a", lastModified: 5 }],
  ["flake:nixpkgs/main", { type: "indirect", id: "nixpkgs", ref: "main" }],
];

test("a URL and its attributes stand for each other", () => {
  for (const [url, attributes, again] of URLS) {
    assert.deepEqual({ ...parseSource(url) }, attributes, url);
    assert.equal(formatSource(attributes), again ?? url);
  }
});

test("a URL that names no tree may be a file", () => {
  assert.equal(parseSource("https://h.example/a", true)["type"], "tarball");
  assert.equal(parseSource("https://h.example/a", false)["type"], "file");
});

test("what git itself takes as an address becomes a URL", () => {
  const url = (text: string) => checkSource({ type: "git", url: text })["url"];
  assert.equal(url("git@h.example:a/b.git"), "ssh://git@h.example/a/b.git");
  assert.equal(url("/srv/a b"), "file:///srv/a%20b");
  assert.equal(url("git+https://h.example/a"), "https://h.example/a");
});

test("what is wrong is said in the words that people know", () => {
  const message = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof TsosError) return error.message;
      throw error;
    }
    return "no error";
  };
  assert.equal(message(() => parseSource("github:a")), "URL 'github:a' is invalid");
  assert.equal(message(() => parseSource(`github:a/b/${REV}?rev=${REV}`)), `URL 'github:a/b/${REV}?rev=${REV}' contains multiple commit hashes`);
  assert.equal(message(() => parseSource("github:a/b?x=1")), "URL 'github:a/b?x=1' contains unknown parameter 'x'");
  assert.equal(message(() => parseSource("path:/a?x=1")), "path URL 'path:/a?x=1' has unsupported parameter 'x'");
  assert.equal(message(() => parseSource("ftp://h.example/a")), "input 'ftp://h.example/a' is unsupported");
  assert.equal(message(() => parseSource("file+git://h.example/a")), "input 'file+git://h.example/a' is unsupported; did you mean 'git+file' instead of 'file+git'?");
  assert.equal(message(() => parseSource("no url")), "'no url' is not a valid URL");
  assert.equal(message(() => checkSource({ type: "github", owner: "a", repo: "b", reff: "x" })), "input attribute 'reff' not supported by scheme 'github'");
  assert.equal(message(() => checkSource({ type: "git", url: "https://h.example/a", ref: "a..b" })), "invalid Git branch/tag name 'a..b'");
  assert.equal(message(() => checkSource({ type: "github", owner: "a" })), "input attribute 'repo' is missing");
  assert.equal(message(() => checkSource({ type: "path", path: 3 })), "input attribute 'path' is not a string {\"path\":3,\"type\":\"path\"}");
  assert.equal(message(() => checkSource({ owner: "a" })), "'type' attribute to specify input scheme is required but not provided");
});

test("a password is in no message", () => {
  assert.throws(() => parseSource("ftp://me:secret@h.example/a"), (error: unknown) => error instanceof TsosError && !JSON.stringify([error.message, error.data, error.hint]).includes("secret"));
});

test("only what names one tree for ever is locked", () => {
  assert.equal(isLockedSource({ type: "github", owner: "a", repo: "b", rev: REV }), false);
  assert.equal(isLockedSource({ type: "github", owner: "a", repo: "b", rev: REV, narHash: HASH }), true);
  assert.equal(isLockedSource({ type: "git", url: "file:///a", rev: REV }), true);
  assert.equal(isLockedSource({ type: "git", url: "file:///a", rev: "0".repeat(40) }), false);
  assert.equal(isLockedSource({ type: "path", path: "/a" }), false);
});
