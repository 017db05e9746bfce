import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { bundleConfig } from "../../../core/config/bundle.ts";
import { findProject } from "../../../core/config/find-project.ts";
import { errorsOf, makeFolder, render, writeProject } from "./trial.ts";

const folder = makeFolder();
after(() => folder[Symbol.dispose]());

let count = 0;
function bundle(files: Readonly<Record<string, string>>, name = "system.config.ts") {
  const project = writeProject(join(folder.path, `p${count++}`), files);
  return bundleConfig({ file: join(project, name), project, exports: ["defineSystem", "mkIf", "path"], folderExports: ["path"] });
}

/** `code line:column message`, for each error. */
async function errors(files: Readonly<Record<string, string>>, name?: string): Promise<readonly string[]> {
  const all = await errorsOf(bundle(files, name));
  return all.map((error) => `${error.code} ${error.at?.line ?? "-"}:${error.at?.column ?? "-"} ${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}`);
}

test("a configuration and what it imports become one script", async () => {
  const { code, reads } = await bundle({
    "system.config.ts": 'import { defineSystem } from "tsos";\nimport type { Site } from "./site.ts";\nimport { site } from "./site.ts";\nimport data from "./data.json";\nimport page from "./page.html";\nimport raw from "./raw.unknown" with { type: "text" };\nexport default defineSystem({ site: site satisfies Site, data, page, raw });',
    "site.ts": "export type Site = string;\nexport const site: Site = 'x';",
    "data.json": '{ "a": 1 }',
    "page.html": "<p>",
    "raw.unknown": "raw",
  });
  assert.deepEqual(reads.filter((read) => read.kind === "file").map((read) => read.path.split("/").at(-1)).sort(), ["data.json", "page.html", "raw.unknown", "site.ts", "system.config.ts"]);
  // The bundle is a function of the runtime's API, and names no path of the machine.
  assert.doesNotMatch(code, new RegExp(folder.path));
  const indirect = eval;
  const run = indirect(code) as (tsos: unknown) => unknown;
  const tsos = { api: { defineSystem: (system: unknown) => system }, in: () => ({}) };
  assert.deepEqual(run(tsos), { site: "x", data: { a: 1 }, page: "<p>", raw: "raw" });
});

test("what depends on the folder is bound to each importing file's own", async () => {
  const { code } = await bundle({
    "system.config.ts": 'import { path } from "tsos";\nimport sub from "./sub/module.ts";\nexport default [path("./a"), sub];',
    "sub/module.ts": 'import { path } from "tsos";\nexport default path("./a");',
  });
  const indirect = eval;
  const run = indirect(code) as (tsos: unknown) => unknown;
  assert.deepEqual(run({ api: {}, in: (from: string) => ({ path: (name: string) => `${from} ${name}` }) }), [". ./a", "sub ./a"]);
});

test("a syntax error is told with its place, its column counted in characters", async () => {
  assert.deepEqual(await errors({ "system.config.ts": 'export default {\n  "ä": "ü" "x",\n};' }), ['config.syntax 2:12 expected "}" but found "\\"x\\"" (is a comma missing before it?)']);
});

test("all missing files are told, with the nearest name", async () => {
  assert.deepEqual(await errors({ "system.config.ts": 'import a from "./sit.ts";\nimport b from "./none/x.ts";\nimport c from "lodash/map";\nexport default [a, b, c];', "site.ts": "" }), [
    'config.missing-file 1:15 cannot find "./sit.ts" (did you mean "./site.ts"?)',
    'config.missing-file 2:15 cannot find "./none/x.ts" (there is no folder "./none")',
    'config.missing-package 3:15 cannot find the package "lodash" (npm install lodash)',
  ]);
});

test("a configuration that is not there is told by its name", async () => {
  const [error] = await errors({}, "system.config.ts");
  assert.match(error ?? "", /^config\.missing-file -:- there is no configuration ".*system\.config\.ts" \(tsos init makes one\)$/);
});

test("a name that tsos or a file of the project does not export is told with the nearest one", async () => {
  assert.deepEqual(await errors({ "system.config.ts": 'import { defineSytem } from "tsos";\nimport { site } from "./site.ts";\nexport default defineSytem(site);', "site.ts": "export const sites = 1;" }), [
    'config.unknown-export 1:10 "tsos" does not export "defineSytem" (did you mean "defineSystem"?)',
    'config.unknown-export 2:10 "site.ts" does not export "site" (did you mean "sites"?)',
  ]);
});

for (const [specifier, what] of [["node:fs", "the file system"], ["fs/promises", "the file system"], ["node:os", "the machine"], ["node:child_process", "the output of a program"], ["node:https", "the network"], ["node:vm", '"node:vm"']] as const) {
  test(`refuses ${specifier} with what to use in its place`, async () => {
    const [error] = await errorsOf(bundle({ "system.config.ts": `import * as x from "${specifier}";\nexport default x;` }));
    assert.equal(error?.code, "config.impure-import");
    assert.equal(error.message, `a configuration cannot read ${what}: "${specifier}" is not available`);
    assert.deepEqual([error.at?.line, error.at?.column], [1, 20]);
    assert.match(error.hint ?? "", /^use /);
  });
}

test("a package of npm may be used when it is pure", async () => {
  const files = { "node_modules/pure/package.json": '{ "type": "module", "exports": "./x.js" }', "node_modules/pure/x.js": "export const x = 1;" };
  const { reads } = await bundle({ "system.config.ts": 'import { x } from "pure";\nexport default x;', ...files });
  assert.ok(reads.some((read) => read.path.endsWith("node_modules/pure/package.json")));
  const [error] = await errors({ "system.config.ts": 'import { x } from "pure";\nexport default x;', ...files, "node_modules/pure/x.js": 'import fs from "fs";\nexport const x = fs;' });
  assert.match(error ?? "", /^config\.impure-import 1:16 .* \(the package "pure" is not pure: /);
});

test("refuses what only a run could resolve, what is on the network, and what is no source", async () => {
  assert.match((await errors({ "system.config.ts": 'import x from "https://example.org/x.ts";\nexport default x;' }))[0] ?? "", /^config\.unknown-import 1:15 /);
  assert.match((await errors({ "system.config.ts": 'import x from "./x.png";\nexport default x;', "x.png": "" }))[0] ?? "", /^config\.unknown-import 1:15 "x\.png" is neither/);
  assert.match((await errors({ "system.config.ts": 'import x from "tsos/core";\nexport default x;' }))[0] ?? "", /^config\.unknown-import 1:15 /);
});

test("a key that is written twice is an error that shows both", async () => {
  const error = (await errorsOf(bundle({ "system.config.ts": "export default {\n  a: 1,\n  a: 2,\n};" })))[0];
  assert.equal(error?.code, "config.duplicate-key");
  assert.deepEqual([error.at?.line, error.at?.column, error.related[0]?.line], [3, 3, 2]);
});

test("await, a missing default export and import.meta are told", async () => {
  assert.deepEqual(await errors({ "system.config.ts": "const x = await 1;\nexport default x;" }), ["config.async 1:11 a configuration cannot wait: await is not available (an evaluation is synchronous: compute the value at once)"]);
  assert.deepEqual(await errors({ "system.config.ts": "export const x = 1;" }), ['config.no-default 1:1 "system.config.ts" exports no configuration (export default defineSystem({ … }), or defineShell)']);
});

test("an error shows the user's own lines", async () => {
  const project = writeProject(join(folder.path, "frame"), { "system.config.ts": 'import a from "./sit.ts";\nexport default a;\n', "site.ts": "" });
  const action = bundleConfig({ file: join(project, "system.config.ts"), project, exports: [], folderExports: [] });
  const text = await action.catch((error: unknown) => render(error, project));
  assert.equal(text, ['error: cannot find "./sit.ts"', "  system.config.ts:1:15", '  > 1 | import a from "./sit.ts";', "      |               ^", "    2 | export default a;", '  hint: did you mean "./site.ts"?'].join("\n"));
});

test("a project begins at the nearest folder that is marked as one", () => {
  const project = writeProject(join(folder.path, "marked"), { "a/b/system.config.ts": "", "a/tsos.lock": "" });
  assert.equal(findProject(join(project, "a/b/system.config.ts")), join(project, "a"));
});
