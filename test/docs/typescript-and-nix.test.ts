/** Every pair of docs/typescript-and-nix.md gives the same system, and what is TypeScript type-checks. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { evaluateNix, evaluateTypeScript, writeProject } from "../core/convert/evaluate-converted.ts";
import { runTsos } from "../cli/tsos-process.ts";
import { readBlocks, type Block } from "./blocks.ts";
import { NIXPKGS_OF_DOCS } from "./nixpkgs-of-docs.ts";

const FILES = { "hardware.nix": '{ boot.kernelModules = [ "kvm-intel" ]; }\n', "motd.txt": "hello\n" };
const IMPORTS = 'import { dedent, defineInputs, defineNixosSystem, nixExpression, nixFile, path, readFile, type NixosModule, type NixValue } from "tsos";\nvoid [dedent, nixExpression, nixFile, path, readFile]; export type Unused = NixValue;\n';
const system = (modules: string): string => `const inputs = defineInputs({ nixpkgs: "path:../nixpkgs" });\nexport default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [${modules}] });\n`;
const moduleOf = ({ text }: Block): string => `const example: NixosModule = ${text.trim()};\n`;

const blocks = readBlocks("typescript-and-nix.md");
const pairs = blocks.flatMap((block, index) => (block.language === "nix" ? [[block, blocks[index + 1]!] as const] : []));

test("the page has pairs and nothing else", () => {
  assert.equal(pairs.length * 2, blocks.length);
  for (const [, typescript] of pairs) assert.equal(typescript.language, "ts");
});

for (const [nix, typescript] of pairs) {
  test(`${nix.heading}, line ${nix.line}: the same in both languages`, async () => {
    using tree = writeProject(NIXPKGS_OF_DOCS);
    using project = writeProject({ ...FILES, "configuration.nix": nix.text, "system.config.ts": IMPORTS + moduleOf(typescript) + system("example") });
    const [ours, theirs] = [await evaluateTypeScript(tree.folder, project.folder), evaluateNix(tree.folder, project.folder, "configuration.nix")];
    assert.equal(ours, theirs);
    using empty = writeProject({ "configuration.nix": "{ }" });
    assert.notEqual(theirs, evaluateNix(tree.folder, empty.folder, "configuration.nix"));
  });
}

test("what is TypeScript type-checks", async () => {
  using state = writeProject({});
  const modules = pairs.map(([, typescript], index) => [`example-${index}.ts`, `${IMPORTS}${moduleOf(typescript)}export default example;\nvoid [defineInputs, defineNixosSystem];\n`] as const);
  const imports = modules.map(([name], index) => `import e${index} from "./${name}";`).join("\n");
  for (const [name, text] of Object.entries({ ...Object.fromEntries(Object.entries(NIXPKGS_OF_DOCS).map(([name, text]) => [`nixpkgs/${name}`, text])), ...Object.fromEntries(Object.entries({ ...FILES, ...Object.fromEntries(modules), "system.config.ts": `${imports}\n${IMPORTS}void [${modules.map((_, index) => `e${index}`).join(", ")}];\nconst example: NixosModule = {};\n${system("example")}` }).map(([name, text]) => [`project/${name}`, text])) })) {
    mkdirSync(join(state.folder, name, ".."), { recursive: true });
    writeFileSync(join(state.folder, name), text);
  }
  const { code, stderr } = await runTsos(["check", "--store", join(state.folder, "store")], { cwd: join(state.folder, "project"), stateFolder: join(state.folder, "state"), env: { HOME: state.folder } });
  assert.equal(code, 0, stderr);
});
