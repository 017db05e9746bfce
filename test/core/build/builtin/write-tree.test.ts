import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runBuiltin, testFolder } from "./run-builtin.ts";

test("writes files, links and folders, and the folders above them", async (context) => {
  const out = await runBuiltin(testFolder(context), "write-tree", {
    entries: JSON.stringify([
      { path: "a/b/script", kind: "file", contents: "#!/bin/sh\n", executable: true },
      { path: "a/text", kind: "file", contents: "grüße" },
      { path: "link", kind: "symlink", target: "/nix/store/x" },
      { path: "empty", kind: "directory" },
    ]),
  });
  assert.equal(statSync(join(out, "a/b/script")).mode & 0o777, 0o755);
  assert.equal(readFileSync(join(out, "a/text"), "utf8"), "grüße");
  assert.equal(readlinkSync(join(out, "link")), "/nix/store/x");
  assert(statSync(join(out, "empty")).isDirectory());
});

test("makes the output itself a file when that is the only entry", async (context) => {
  const out = await runBuiltin(testFolder(context), "write-tree", { entries: JSON.stringify([{ path: "", kind: "file", contents: "text" }]) });
  assert.equal(readFileSync(out, "utf8"), "text");
});

test("rejects entries that leave the output, stand there twice, or are of no kind", async (context) => {
  const folder = testFolder(context);
  const write = (entries: unknown, out: string): Promise<string> => runBuiltin(folder, "write-tree", { entries: JSON.stringify(entries) }, out);
  await assert.rejects(write([{ path: "../x", kind: "file", contents: "" }], "a"), { code: "archive.unsafe-path" });
  await assert.rejects(write([{ path: "x", kind: "symlink", target: "y" }, { path: "x", kind: "directory" }], "b"), { code: "archive.conflict", message: /there is a symlink already/ });
  await assert.rejects(write([{ path: "", kind: "directory" }, { path: "x", kind: "directory" }], "d"), { code: "builtin.bad-argument", message: /1 more/ });
  await assert.rejects(write([{ path: "x", kind: "pipe" }], "c"), { code: "builtin.bad-argument", message: /expected a list of \{ path/ });
});

test("writes nothing through a link that an earlier entry made", async (context) => {
  const folder = testFolder(context);
  mkdirSync(join(folder, "outside"));
  const entries = [
    { path: "a", kind: "symlink", target: join(folder, "outside") },
    { path: "a/file", kind: "file", contents: "" },
  ];
  await assert.rejects(runBuiltin(folder, "write-tree", { entries: JSON.stringify(entries) }), { code: "archive.conflict", message: /"a"/ });
  assert.deepEqual(readdirSync(join(folder, "outside")), []);
});
