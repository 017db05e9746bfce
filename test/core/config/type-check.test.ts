import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { buildAll } from "../../../cli/dev/build.js";
import { findCached } from "../../../core/config/evaluation-cache.ts";
import { typeCheckConfig } from "../../../core/config/type-check.ts";
import { errorsOf, makeFolder, writeProject } from "./trial.ts";

const installation = resolve(import.meta.dirname, "../../..");
const folder = makeFolder();
after(() => folder[Symbol.dispose]());
before(async () => {
  if (!existsSync(join(installation, "dist/type-check-worker.js"))) await buildAll();
});

let count = 0;
function makeProject(files: Readonly<Record<string, string>>) {
  const path = writeProject(join(folder.path, `p${count++}`), files);
  const cacheDir = `${path}-cache`;
  return { path, cacheDir, check: () => typeCheckConfig({ file: join(path, "shell.config.ts"), installation, cacheDir }) };
}

test("a right configuration passes, and is not checked again until a file of it changes", async () => {
  const project = makeProject({ "shell.config.ts": 'import { defineShell } from "tsos";\nimport { name } from "./name.ts";\nexport default defineShell(({ pkgs }) => ({ name, packages: [pkgs.go] }));\n', "name.ts": 'export const name: string = "x";\n' });
  await project.check();
  const began = performance.now();
  await project.check();
  assert.ok(performance.now() - began < 500, "from the cache");
  writeFileSync(join(project.path, "name.ts"), "export const name: string = 3;\n");
  const [error] = await errorsOf(project.check());
  assert.match(error?.code ?? "", /^type\.ts\d+$/);
});

test("every mistake has its place and the compiler's words", async () => {
  const project = makeProject({ "shell.config.ts": 'import { defineShell } from "tsos";\nconst port: number = "x";\nexport default defineShell({ config: ({ pkgs }) => ({ packages: [pkgs.gti], name: `${port}` }) });\nprocess.exit();\n' });
  const errors = await errorsOf(project.check());
  const text = errors.map((error) => `${error.at?.line}:${error.at?.column} ${error.message}`);
  assert.ok(text.some((line) => line.startsWith("2:7 type 'string' is not assignable to type 'number'")), text.join("\n"));
  assert.ok(text.some((line) => line.startsWith("3:71 property 'gti' does not exist")), text.join("\n"));
  assert.ok(text.some((line) => line.startsWith('4:1 "process" is not available in a configuration')), text.join("\n"));
  assert.ok(errors.every((error) => error.at?.file === join(project.path, "shell.config.ts")));
});

test("a project's own settings count", async () => {
  const project = makeProject({ "shell.config.ts": 'import { defineShell } from "tsos";\nconst unused = 1;\nexport default defineShell({ config: {} });\n', "tsconfig.json": '{ "compilerOptions": { "strict": true, "types": [], "noUnusedLocals": true } }' });
  assert.match((await errorsOf(project.check()))[0]?.message ?? "", /'unused' is declared but its value is never read/);
});

test("declarations that appear and settings that are extended are seen", async () => {
  const project = makeProject({
    "shell.config.ts": 'import { defineShell } from "tsos";\nconst unused = 1;\nconst settings: Settings = { a: 1 };\nexport default defineShell({ config: { name: `${settings.a}` } });\n',
    "tsconfig.json": '{ "extends": "./base.json", "include": ["**/*.ts"] }',
    "base.json": '{ "compilerOptions": { "strict": true, "types": [] } }',
    "types/a.d.ts": "interface Settings { a: number }\n",
  });
  await project.check();
  mkdirSync(join(project.path, "types/more"));
  writeFileSync(join(project.path, "types/more/b.d.ts"), "interface Settings { b: number }\n");
  assert.match((await errorsOf(project.check()))[0]?.message ?? "", /property 'b' is missing/);
  rmSync(join(project.path, "types/more"), { recursive: true });
  await project.check();
  writeFileSync(join(project.path, "base.json"), '{ "compilerOptions": { "strict": true, "types": [], "noUnusedLocals": true } }');
  assert.match((await errorsOf(project.check()))[0]?.message ?? "", /'unused' is declared but its value is never read/);
});

test("a project with settings is not checked again while nothing changes", async () => {
  const project = makeProject({ "shell.config.ts": 'import { defineShell } from "tsos";\nexport default defineShell({ config: {} });\n', "tsconfig.json": '{ "compilerOptions": { "strict": true, "types": [] } }' });
  await project.check();
  writeFileSync(join(project.path, "notes.txt"), "");
  const [name = ""] = readdirSync(project.cacheDir);
  const entry = await findCached<true>(project.cacheDir, name);
  assert.ok(entry !== undefined, "found again");
  assert.ok(entry.reads.some((read) => read.kind === "folder" && read.path === project.path));
});

test("a project whose settings include no file is right, and long types are cut", async () => {
  const names = Array.from({ length: 80 }, (_, i) => `"member number ${i}"`).join(" | ");
  const project = makeProject({ "shell.config.ts": `import { defineShell } from "tsos";\nconst value: { a: ${names} } = { a: 1 } as { a: number };\nexport default defineShell({ config: { name: value.a } });\n`, "tsconfig.json": '{ "include": ["src/**/*.ts"] }' });
  const errors = await errorsOf(project.check());
  assert.deepEqual(errors.map(({ at }) => at?.line), [2]);
  assert.ok(errors[0]!.message.split("\n").every((line) => line.length <= 241), errors[0]!.message);
});
