import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runBuiltin, testFolder } from "./run-builtin.ts";

const file = (path: string, contents: string) => ({ kind: "file", path, contents });

async function tree(folder: string, name: string, entries: readonly object[]): Promise<string> {
  return runBuiltin(folder, "write-tree", { entries: JSON.stringify(entries) }, name);
}

test("merges trees by hard links, adds links, alternatives and folders, and leaves out what is to go", async (context) => {
  const folder = testFolder(context);
  const trees = [
    await tree(folder, "a", [file("usr/bin/mawk", "mawk"), file("usr/share/same", "same"), file("usr/share/doc/x", "x")]),
    await tree(folder, "b", [file("usr/bin/dash", "dash"), file("usr/share/same", "same"), { kind: "symlink", path: "usr/bin/sh", target: "bash" }]),
  ];
  const out = await runBuiltin(folder, "compose", {
    trees: JSON.stringify(trees),
    links: JSON.stringify({ bin: "usr/bin", "usr/bin/sh": "dash" }),
    alternatives: JSON.stringify({ "usr/bin/awk": ["usr/bin/gawk", "usr/bin/mawk"], "usr/bin/vi": ["usr/bin/vim"] }),
    directories: JSON.stringify(["proc", "var/log"]),
    remove: JSON.stringify(["usr/share/doc"]),
  });
  assert.equal(statSync(join(out, "usr/bin/mawk")).ino, statSync(join(trees[0]!, "usr/bin/mawk")).ino);
  assert.equal(readFileSync(join(out, "bin/sh"), "utf8"), "dash");
  assert.equal(readlinkSync(join(out, "usr/bin/awk")), "mawk");
  assert(statSync(join(out, "var/log")).isDirectory());
  for (const absent of ["usr/share/doc", "usr/bin/vi"]) assert(!existsSync(join(out, absent)), absent);
});

test("makes one file of many", async (context) => {
  const folder = testFolder(context);
  const a = await tree(folder, "a", [file("certs/b.crt", "two\n"), file("certs/a.crt", "one"), file("certs/c.txt", "no")]);
  const out = await runBuiltin(folder, "compose", { trees: JSON.stringify([a]), concatenate: JSON.stringify({ "etc/all.crt": ["certs/*.crt"] }) });
  assert.equal(readFileSync(join(out, "etc/all.crt"), "utf8"), "one\ntwo\n");
  await assert.rejects(runBuiltin(folder, "compose", { trees: JSON.stringify([a]), concatenate: `{"x":["none/*"]}` }, "none"), { code: "tree.nothing-to-concatenate" });
});

test("rejects trees that have something else at the same path", async (context) => {
  const folder = testFolder(context);
  const a = await tree(folder, "a", [file("usr/x", "one")]);
  const others = [[file("usr/x", "two")], [file("usr/x/y", "in a folder")], [{ kind: "symlink", path: "usr/x", target: "y" }]];
  for (const [i, entries] of others.entries()) {
    const b = await tree(folder, `b${i}`, entries);
    await assert.rejects(runBuiltin(folder, "compose", { trees: JSON.stringify([a, b]) }, `out${i}`), (error: Error) => {
      assert.equal("code" in error && error.code, "tree.conflict");
      assert(error.message.includes(`"usr/x"`) && error.message.includes(`${a}/usr/x`) && error.message.includes(b), error.message);
      return true;
    });
  }
});

test("makes nothing behind a link of the trees, which may lead out of them", async (context) => {
  const folder = testFolder(context);
  mkdirSync(join(folder, "outside"));
  const a = await tree(folder, "a", [{ kind: "symlink", path: "var/run", target: join(folder, "outside") }, file("certs/a.crt", "one")]);
  const compose = (out: string, more: Readonly<Record<string, unknown>>): Promise<string> =>
    runBuiltin(folder, "compose", { trees: JSON.stringify([a]), ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, JSON.stringify(value)])) }, out);
  const behind = { code: "tree.conflict", message: /"var\/run\/x" cannot be made: what should be its folder is a symlink/ };
  await assert.rejects(compose("directories", { directories: ["var/run/x"] }), behind);
  await assert.rejects(compose("links", { links: { "var/run/x": "/y" } }), behind);
  await assert.rejects(compose("concatenate", { concatenate: { "var/run/x": ["certs/*"] } }), behind);
  assert.deepEqual(readdirSync(join(folder, "outside")), []);
});
