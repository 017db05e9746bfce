import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { runTsos, type TsosResult } from "../cli/tsos-process.ts";
import { makeFolder, writeProject } from "../core/config/trial.ts";

// The pages whose pieces of code are files: "```ts packages/greeting.ts". Those of one page are one project; but each
// of errors.md is wrong in its own way, and has its own test.
const docs = resolve(import.meta.dirname, "../../docs");
const pages = readdirSync(docs).flatMap((name) => {
  const text = readFileSync(join(docs, name), "utf8");
  const files = [...text.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)].map(([, file, code]) => [file!, code!] as const);
  return files.length === 0 || name === "errors.md" ? [] : [{ name, files: Object.fromEntries(files) }];
});

const folder = makeFolder();
after(() => folder[Symbol.dispose]());
const projectOf = (page: string): string => join(folder.path, basename(page, ".md"));
const tsos = (page: string, ...args: string[]): Promise<TsosResult> => runTsos(args, { cwd: projectOf(page), stateFolder: join(folder.path, "state") });

before(async () => {
  for (const { name, files } of pages) {
    const made = await runTsos(["init", "minimal", "--dir", projectOf(name)], { cwd: folder.path, stateFolder: join(folder.path, "state") });
    assert.equal(made.code, 0, made.stderr);
    writeProject(projectOf(name), { ...files, "counter/counter": "#!/bin/sh\n" });
  }
});

test("the pages about modules and packages are among them", () => {
  assert.deepEqual(["modules.md", "packages.md"].filter((name) => !pages.some((page) => page.name === name)), []);
});

for (const { name, files } of pages) {
  for (const file of Object.keys(files).filter((path) => /^(system|shell)\.config\.ts$/.test(path))) {
    test(`${file} of docs/${name} is sound`, async () => {
      const { code, stderr } = await tsos(name, "check", "-c", file);
      assert.equal(code, 0, stderr);
    });
  }
}

test("a module of a dev shell has its options in the shell that imports it", async () => {
  const { code, stdout, stderr } = await tsos("modules.md", "eval", "-c", "shell.config.ts", "env.PGHOST");
  assert.deepEqual([code, stdout], [0, '"/tmp"\n'], stderr);
});

test("a package of one's own is found, and its options have types", async () => {
  const shown = await tsos("packages.md", "pkg", "show", "greeting", "--json");
  assert.equal(shown.code, 0, shown.stderr);
  const { package: found } = JSON.parse(shown.stdout) as { readonly package: { readonly version: string; readonly description: string } };
  assert.deepEqual([found.version, found.description], ["1.2", "program that greets"]);
  const file = join(projectOf("packages.md"), "system.config.ts");
  const right = readFileSync(file, "utf8");
  for (const [wrong, message] of [
    ['{ word: 4 }', /type 'number' is not assignable to type 'string'/],
    ['{ wrod: "x" }', /"wrod", which is neither an option of it nor a package/],
  ] as const) {
    writeFileSync(file, right.replace('{ word: "good day" }', wrong));
    const checked = await tsos("packages.md", "check");
    assert.equal(checked.code, 1);
    assert.match(checked.stderr, message);
    assert.match(checked.stderr, /system\.config\.ts:\d+/);
  }
  writeFileSync(file, right);
});

test("a mistake in a package is told at its own line, with the line that asked", async () => {
  const file = join(projectOf("packages.md"), "packages/greeting.ts");
  const right = readFileSync(file, "utf8");
  writeFileSync(file, right.replace("writeShellScriptBin(\"greeting\"", "writeShellScriptBin(\"gree/ting\""));
  const checked = await tsos("packages.md", "check");
  writeFileSync(file, right);
  assert.equal(checked.code, 1);
  assert.match(checked.stderr, /packages\/greeting\.ts:11:5/);
  assert.match(checked.stderr, /system\.config\.ts:16:\d+/);
});
