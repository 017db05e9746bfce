import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildRuntime } from "../../../cli/dev/build.js";
import { evaluateConfig } from "../../../core/config/evaluate.ts";
import { openRuntimeFolder, type RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import { errorsOf, makeFolder, writeProject } from "./trial.ts";

const folder = makeFolder();
let runtime: RuntimeFolder;
before(async () => {
  const outFolder = join(folder.path, "runtime");
  await buildRuntime({ outFolder });
  runtime = openRuntimeFolder(outFolder);
});
after(() => folder[Symbol.dispose]());

let count = 0;
function projectOf(text: string, files: Readonly<Record<string, string>> = {}): string {
  return join(writeProject(join(folder.path, `p${count++}`), { "shell.config.ts": text, ...files }), "shell.config.ts");
}

async function evaluateShell(text: string, files: Readonly<Record<string, string>> = {}) {
  const file = projectOf(text, files);
  return {
    packages: (await evaluateConfig({ file, request: { kind: "option", path: "packages" }, runtime })).result.option.value,
    jq: (await evaluateConfig({ file, request: { kind: "package", name: "jq" }, runtime })).result.package,
  };
}

test("overlays of the configuration and of what it imports change every pkgs, the imported first", async () => {
  const plain = await evaluateShell(`import { defineShell } from "tsos"; export default defineShell(({ pkgs }) => ({ packages: [pkgs.jq] }));`);
  const changed = await evaluateShell(
    `import { defineShell } from "tsos";
import tools from "./tools.ts";
export default defineShell({
  imports: [tools],
  overlays: [(final, prev) => ({ jq: prev.jq.overrideAttrs(({ pname }: any) => ({ pname: pname + "-two" })) })],
  config: ({ pkgs }) => ({ packages: [pkgs.jq] }),
});`,
    {
      "tools.ts": `import { defineModule } from "tsos";
export default defineModule({ overlays: [(final, prev) => ({ jq: prev.jq.overrideAttrs(({ pname }: any) => ({ pname: pname + "-one" })) })] });`,
    },
  );
  assert.match(plain.jq.name, /^jq-\d/);
  assert.match(changed.jq.name, /^jq-one-two-\d/);
  assert.deepEqual(changed.packages, [changed.jq.outPath]);
});

test("overlays that are no list are refused", async () => {
  const file = projectOf(`import { defineShell } from "tsos"; export default defineShell({ overlays: () => ({}), config: {} } as never);`);
  const [error] = await errorsOf(evaluateConfig({ file, request: { kind: "shell" }, runtime }));
  assert.match(error?.message ?? "", /"overlays" of defineShell must be a list of functions/);
});
