import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runBuiltin, testFolder } from "./run-builtin.ts";

async function packageOf(folder: string, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(files).map(([path, contents]) => ({ kind: "file", path, contents }));
  return runBuiltin(folder, "write-tree", { entries: JSON.stringify(entries) }, name);
}

test("links a folder that one package has as a whole, and merges those of several", async (context) => {
  const folder = testFolder(context);
  const a = await packageOf(folder, "a", { "bin/a": "a", "share/a/x": "x", ".hidden": "", "nix-support/setup": "" });
  const b = await packageOf(folder, "b", { "bin/b": "b", "lib/b": "b" });
  const out = await runBuiltin(folder, "buildenv", { derivations: `true 5 1 ${a} true 5 1 ${b}` });
  assert.deepEqual(readdirSync(out).sort(), ["bin", "lib", "share"]);
  assert(lstatSync(join(out, "bin")).isDirectory());
  assert.equal(readlinkSync(join(out, "bin/a")), join(a, "bin/a"));
  assert.equal(readlinkSync(join(out, "bin/b")), join(b, "bin/b"));
  assert.equal(readlinkSync(join(out, "share")), join(a, "share"));
});

test("lets the lower priority number win and leaves out what is not active", async (context) => {
  const folder = testFolder(context);
  const a = await packageOf(folder, "a", { "bin/x": "a" });
  const b = await packageOf(folder, "b", { "bin/x": "b" });
  const c = await packageOf(folder, "c", { "bin/c": "c" });
  for (const [i, derivations] of [`true 5 1 ${a} true 4 1 ${b} false 5 1 ${c}`, `true 4 1 ${b} true 5 1 ${a}`].entries()) {
    const out = await runBuiltin(folder, "buildenv", { derivations, manifest: "/nix/store/m" }, `out${i}`);
    assert.equal(readFileSync(join(out, "bin/x"), "utf8"), "b");
    assert(!existsSync(join(out, "bin/c")));
    assert.equal(readlinkSync(join(out, "manifest.nix")), "/nix/store/m");
  }
});

test("rejects two packages with another file at the same place, naming both", async (context) => {
  const folder = testFolder(context);
  const a = await packageOf(folder, "a", { "bin/x": "a", "share/licence": "MIT" });
  const b = await packageOf(folder, "b", { "bin/x": "b", "share/licence": "MIT" });
  await assert.rejects(runBuiltin(folder, "buildenv", { derivations: `true 5 1 ${a} true 5 1 ${b}` }), (error: Error) => {
    assert.equal("code" in error && error.code, "buildenv.conflict");
    assert(error.message.includes(`${a}/bin/x`) && error.message.includes(`${b}/bin/x`), error.message);
    return true;
  });
});

test("links only what is asked for", async (context) => {
  const folder = testFolder(context);
  const a = await packageOf(folder, "a", { "bin/x": "a", "share/man/man1/x": "x", "share/other/x": "x", "lib/x": "x" });
  const out = await runBuiltin(folder, "buildenv", { derivations: `true 5 1 ${a}`, pathsToLink: `["/bin","/share/man"]` });
  assert.deepEqual(readdirSync(out).sort(), ["bin", "share"]);
  assert.deepEqual(readdirSync(join(out, "share")), ["man"]);
});

test("rejects a list of packages that is cut short", async (context) => {
  const folder = testFolder(context);
  await assert.rejects(runBuiltin(folder, "buildenv", { derivations: "true 5 2 /only-one" }), { code: "builtin.bad-argument" });
});
