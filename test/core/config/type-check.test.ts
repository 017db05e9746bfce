import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { buildAll } from "../../../cli/dev/build.js";
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
  return { path, check: () => typeCheckConfig({ file: join(path, "shell.config.ts"), installation, cacheDir: join(path, "cache") }) };
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
