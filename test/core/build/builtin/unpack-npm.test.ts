import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { makeTar } from "./archives.ts";
import { runBuiltin, testFolder } from "./run-builtin.ts";

test("unpacks a package without its outer folder and makes its programs executable", async (context) => {
  const folder = testFolder(context);
  const src = join(folder, "demo.tgz");
  writeFileSync(src, gzipSync(makeTar([{ path: "package/package.json", contents: "{}" }, { path: "package/bin/demo.js", contents: "#!/usr/bin/env node\n" }])));
  const out = await runBuiltin(folder, "unpack-npm", { src, bin: `{ "demo": "bin/demo.js" }` });
  assert.equal(readFileSync(join(out, "package.json"), "utf8"), "{}");
  assert.equal(statSync(join(out, "bin/demo.js")).mode & 0o777, 0o755);
  assert.equal(statSync(join(out, "package.json")).mode & 0o777, 0o644);
  const inFolder = await runBuiltin(folder, "unpack-npm", { src, folder: "usr" }, "other");
  assert.equal(readFileSync(join(inFolder, "usr/package.json"), "utf8"), "{}");
});

test("rejects links, and a program that is not there", async (context) => {
  const folder = testFolder(context);
  const src = join(folder, "demo.tgz");
  writeFileSync(src, gzipSync(makeTar([{ path: "package/a", type: "2", target: "/etc/passwd" }])));
  await assert.rejects(runBuiltin(folder, "unpack-npm", { src }, "a"), { code: "archive.unsafe-kind" });
  writeFileSync(src, gzipSync(makeTar([{ path: "package/a", contents: "" }])));
  await assert.rejects(runBuiltin(folder, "unpack-npm", { src, bin: `{ "b": "b.js" }` }, "b"), { code: "archive.no-program", message: /"b.js"/ });
  await assert.rejects(runBuiltin(folder, "unpack-npm", { src, bin: `["b.js"]` }, "c"), { code: "builtin.bad-argument", message: /expected an object of strings/ });
});
