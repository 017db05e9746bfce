import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { sha256 } from "./archives.ts";
import { runBuiltin, testFolder } from "./run-builtin.ts";

test("fetches by hash, from the first URL that gives the right bytes", async (context) => {
  const folder = testFolder(context);
  writeFileSync(join(folder, "right"), "right");
  writeFileSync(join(folder, "wrong"), "wrong");
  const url = (name: string): string => pathToFileURL(join(folder, name)).href;
  const env = { outputHash: sha256(Buffer.from("right")), outputHashAlgo: "sha256" };
  const out = await runBuiltin(folder, "fetchurl", { ...env, url: url("wrong"), urls: `${url("none")} ${url("right")}` });
  assert.equal(readFileSync(out, "utf8"), "right");
  await assert.rejects(runBuiltin(folder, "fetchurl", { ...env, url: url("wrong") }, "other"), { code: "fetch.hash-mismatch" });
});

test("makes the file executable where that is asked for", async (context) => {
  const folder = testFolder(context);
  writeFileSync(join(folder, "tool"), "#!/bin/sh\n");
  const out = await runBuiltin(folder, "fetchurl", { url: pathToFileURL(join(folder, "tool")).href, executable: "1" });
  assert.equal(statSync(out).mode & 0o777, 0o755);
});

test("rejects a derivation without a URL, and an unknown mirror", async (context) => {
  const folder = testFolder(context);
  await assert.rejects(runBuiltin(folder, "fetchurl", {}), { code: "builtin.missing-argument", message: /'url'/ });
  await assert.rejects(runBuiltin(folder, "fetchurl", { url: "mirror://debian/x" }), { code: "fetch.no-mirror" });
});
