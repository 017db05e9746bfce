import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { installation, runTsos, type TsosResult } from "./tsos-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-pinned-"));
// A process of its own may still end that an update began.
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** A tree with the files that nixpkgs has in the same places. */
const TREE: Readonly<Record<string, string>> = {
  "tree/default.nix": "{ system, config ? { }, overlays ? [ ] }: { greeting = null; other = null; makeGreeting = x: x; old-name = null; gone = throw \"gone\"; }",
  "tree/lib/default.nix": `{
    hasPrefix = p: s: builtins.substring 0 (builtins.stringLength p) s == p;
    removePrefix = p: s: builtins.substring (builtins.stringLength p) (builtins.stringLength s) s;
  }`,
  "tree/pkgs/by-name/gr/greeting/package.nix": '{ stdenv }: stdenv.mkDerivation { pname = "greeting"; version = "1.2"; meta = { description = "Says */ hello"; }; }',
  "tree/pkgs/top-level/all-packages.nix": "{ lib }: res: pkgs: super: with pkgs; { other = callPackage ../other { }; makeGreeting = x: x; }",
  "tree/pkgs/other/default.nix": '{ stdenv }: let version = "3"; in stdenv.mkDerivation { pname = "other"; inherit version; meta.description = "Another"; }',
  "tree/pkgs/top-level/aliases.nix": 'lib: self: super: { old-name = greeting; gone = throw "it was removed"; }',
  "tree/nixos/lib/eval-config.nix": `{ system, modules }: let
      option = type: more: { _type = "option"; inherit type; description = "Whether to */ greet."; declarations = [ (toString ../modules/greet.nix) ]; } // more;
      t = name: nestedTypes: { inherit name nestedTypes; };
    in { options = {
      greet.enable = option (t "bool" { }) { };
      greet.tone = option { name = "enum"; nestedTypes = { }; functor.payload.values = [ "loud" "low" 3 ]; } { default = "low"; };
      greet.words = option (t "listOf" { elemType = t "str" { }; }) { default = [ "a" "b" ]; example.text = "lib.words"; };
      greet.tool = option (t "package" { }) { default = abort "a package is not evaluated for that"; };
      greet.people = option (t "attrsOf" { elemType = { name = "submodule"; nestedTypes = { }; getSubOptions = _: { age = option (t "nullOr" { elemType = t "int" { }; }) { }; }; }; }) { };
      greet.variants = option (t "attrsOf" { elemType = { name = "submodule"; nestedTypes = { }; functor.payload.modules = builtins.genList (n: { }) 600; getSubOptions = _: abort "a system within the system"; }; }) { };
      greet.machines = option (t "attrsOf" { elemType = { name = "submodule"; nestedTypes = { }; getSubOptions = _: { config = option (t "Toplevel NixOS config" { }) { }; ports = option (t "listOf" { elemType = { name = "submodule"; nestedTypes = { }; getSubOptions = _: {
        port = option (t "nullOr" { elemType = t "int" { }; }) { example = abort "not looked at"; };
        deeper = option { name = "submodule"; nestedTypes = { }; getSubOptions = _: abort "three deep"; } { };
      }; }; }) { }; }; }; }) { };
      greet.many = option (t "functionTo" { elemType = t "listOf" { elemType = t "str" { }; }; }) { };
      greet.by = option (t "either" { left = t "package" { }; right = t "str" { }; }) { };
      greet.secret = option (t "str" { }) { visible = false; };
      greet.broken = throw "no";
    }; }`,
};

const CONFIG = (body: string): string => `import { defineInputs, defineNixosSystem, type NixosModule } from "tsos";
const inputs = defineInputs({ nixpkgs: "path:../tree" });
const module: NixosModule = ({ config, pkgs }) => (${body});
export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [module] });
`;

async function run(...args: readonly string[]): Promise<TsosResult> {
  return runTsos(args, { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder, NIX_PATH: "" } });
}

before(async () => {
  write(TREE);
  write({ "project/system.config.ts": CONFIG("{}"), "project/tsos.lock": '{ "version": 1, "inputs": {} }' });
  const updated = await run("update");
  assert.equal(updated.code, 0, updated.stderr);
  assert.ok(existsSync(join(folder, "state/cache/pinned-types.log")), "the update begins to make types");
  const made = await run("update", "--types");
  assert.deepEqual([made.code, made.stdout], [0, "types of nixpkgs\n"], made.stderr);
});

test("declares the packages of a pinned tree with their versions and descriptions, without those that only say that they are gone", () => {
  const index = /from "(.*)packages\.d\.ts"/.exec(readFileSync(join(folder, "project/.tsos/inputs.d.ts"), "utf8"))![1]!;
  const text = readFileSync(join(index, "packages0.d.ts"), "utf8");
  assert.match(text, /\/\*\* Says \*\\\/ hello — 1\.2 · pkgs\/by-name\/gr\/greeting\/package\.nix \*\/\n {2}readonly greeting: NixPackage;/);
  assert.match(text, /Another — 3 · pkgs\/other\/default\.nix \*\/\n {2}readonly other: NixPackage;/);
  assert.match(text, /Another name of `greeting`\. \*\/\n {2}readonly "old-name": NixValue;/);
  assert.match(text, /readonly makeGreeting: NixValue;/);
  assert.doesNotMatch(text, /gone/);
  const options = readFileSync(join(index, "options.d.ts"), "utf8");
  assert.match(options, /Whether to \*\\\/ greet\.\n\s+\* Declared in `nixos\/modules\/greet\.nix`\.\n\s+\*\/\n\s+readonly enable: NixosOption<boolean>;/);
  assert.match(options, /readonly tone: NixosOption<"loud" \| "low" \| 3>;/);
  assert.doesNotMatch(options, /secret|broken/);
  assert.match(options, /readonly variants: NixosOption<\{ readonly \[name: string\]: NixosConfigOf<Options> \}/);
});

const cases: readonly (readonly [what: string, body: string, errors: RegExp | undefined])[] = [
  ["what is right", '{ greet: { enable: true, tone: "low", people: { ann: { age: 3 }, bob: { age: null } }, by: pkgs.greeting } }', undefined],
  ["what config holds", '{ greet: { enable: config.greet.people["ann"]?.age === 3, by: config.greet.tone === "loud" ? "a" : pkgs.other } }', undefined],
  ["a system within the system", '{ greet: { variants: { quiet: { greet: { enable: false } } } } }', undefined],
  ["a value of another type within it", '{ greet: { variants: { quiet: { greet: { tone: "high" } } } } }', /"high"/],
  ["machines inside, submodules two deep, functions", '{ greet: { machines: { a: { config: { greet: { enable: true } }, ports: [{ port: null, deeper: { any: 1 } }] } }, many: (words) => ["a", words.b] } }', undefined],
  ["what config holds of these", '{ greet: { enable: config.greet.machines["a"]?.config.greet.enable ?? config.greet.machines["a"]?.ports[0]?.port === 3, words: config.greet.many(1) } }', undefined],
  ["a value of another type in a machine inside", '{ greet: { machines: { a: { config: { greet: { tone: "high" } } } } } }', /"high"/],
  ["a value of another type two submodules deep", '{ greet: { machines: { a: { ports: [{ port: "x" }] } } } }', /string/],
  ["a function that gives something else", '{ greet: { many: () => 3 } }', /number/],
  ["an unknown package", "{ greet: { by: pkgs.greetinx } }", /greetinx.*greeting/s],
  ["a value of another type", '{ greet: { tone: "high" } }', /"high"/],
  ["an option that is not there", "{ greet: { enable: config.greet.nothing } }", /nothing/],
];
/** Options of the project's own beside those of the tree. */
const OWN = `declare module "tsos" {
  interface NixosOwnOptions {
    readonly "mine.enable": boolean;
    readonly "greet.mine.words": readonly string[];
    readonly "greet.mine.any": NixValue;
  }
}
import type { NixValue } from "tsos";
`;
const ownCases: readonly (readonly [what: string, body: string, errors: RegExp | undefined])[] = [
  ["own options beside those of the tree", '{ mine: { enable: config.greet.enable }, greet: { enable: config.mine.enable, words: config.greet.mine.words, mine: { any: { a: config.greet.mine.any.b } } } }', undefined],
  ["an own option of another type", "{ greet: { words: [config.mine.enable] } }", /boolean/],
  ["a value of another type for an own option", '{ mine: { enable: "yes" } }', /boolean|string/],
  ["an own option that is not there", "{ greet: { enable: config.mine.nothing } }", /there is no option "nothing" here.*NixosOwnOptions/s],
];
for (const [what, body, errors] of [...cases, ...ownCases]) {
  test(`type-checks ${what}`, async () => {
    writeFileSync(join(folder, "project/system.config.ts"), ownCases.some((one) => one[0] === what) ? `${CONFIG(body)}${OWN}` : CONFIG(body));
    const { typeCheckConfig } = await import("../../core/config/type-check.ts");
    const checked = typeCheckConfig({ file: join(folder, "project/system.config.ts"), installation });
    if (errors === undefined) await checked;
    else await assert.rejects(checked, (error: Error) => errors.test(`${error.message} ${String((error as { hint?: string }).hint)}`));
  });
}

test("searches the options of the pinned tree, with those inside of sets, by name and description", async () => {
  writeFileSync(join(folder, "project/system.config.ts"), CONFIG("{}"));
  const found = await run("option", "search", "greet", "tone");
  assert.deepEqual([found.code, found.stdout], [0, 'greet.tone  one of "loud", "low", 3  = "low"\n  Whether to */ greet.\n'], found.stderr);
  const { options } = JSON.parse((await run("option", "search", "age", "--json")).stdout) as { options: readonly { readonly name: string; readonly type: string; readonly declaredIn: readonly string[] }[] };
  assert.deepEqual(options.map(({ name, type, declaredIn }) => [name, type, declaredIn]), [["greet.people.<name>.age", "null or signed integer", ["nixos/modules/greet.nix"]]]);
  assert.equal((await run("option", "search", "secret")).stdout, "");
  const documents = JSON.parse((await run("option", "docs", "--format", "json")).stdout) as { options: readonly { readonly name: string; readonly default?: unknown; readonly example?: unknown }[] };
  const shown = new Map(documents.options.map((option) => [option.name, { default: option.default, example: option.example }]));
  assert.deepEqual(shown.get("greet.words"), { default: { text: '[ "a" "b" ]' }, example: { text: "lib.words" } });
  assert.deepEqual(shown.get("greet.tool"), { default: undefined, example: undefined });
});

test("makes the types of home-manager's options with the packages that it is used with", async () => {
  write({
    "hm/modules/home-environment.nix": "{ }",
    "hm/lib/default.nix": `{ lib }: { homeManagerConfiguration = { pkgs, modules }: { options = {
      home.activation = { _type = "option"; type = { name = "dagOf"; nestedTypes.elemType = { name = "str"; nestedTypes = { }; }; }; };
      home.settings = { _type = "option"; type = { name = "attrsOf"; nestedTypes.elemType = { name = "gvariant"; nestedTypes = { }; }; }; };
      home.username = { _type = "option"; type = { name = "str"; nestedTypes = { }; }; description = "Whose it is, with \${builtins.toString (builtins.length (builtins.attrNames (removeAttrs pkgs [ "gone" ])))} packages."; declarations = [ (toString ../modules/home-environment.nix) ]; };
    }; }; }`,
    "home/tsos.lock": '{ "version": 1, "inputs": {} }',
    "home/home.config.ts": `import { defineHome, defineInputs, type HomeModule } from "tsos";
const inputs = defineInputs({ nixpkgs: "path:../tree", homeManager: "path:../hm" });
const module: HomeModule = ({ config }) => ({ home: { username: config.home.username.toUpperCase() } });
export default defineHome({ nixpkgs: inputs.nixpkgs, homeManager: inputs.homeManager, modules: [module] });
`,
  });
  const inHome = (...args: readonly string[]): Promise<TsosResult> => runTsos(args, { cwd: join(folder, "home"), stateFolder: join(folder, "state"), env: { HOME: folder, NIX_PATH: "" } });
  const updated = await inHome("update");
  assert.equal(updated.code, 0, updated.stderr);
  const made = await inHome("update", "--types");
  assert.deepEqual([made.code, made.stdout], [0, "types of nixpkgs, homeManager\n"], made.stderr);
  assert.deepEqual((await inHome("option", "search", "username")).stdout, "home.username  string\n  Whose it is, with 4 packages.\n");
  const { typeCheckConfig } = await import("../../core/config/type-check.ts");
  const file = join(folder, "home/home.config.ts");
  await typeCheckConfig({ file, installation });
  const right = readFileSync(file, "utf8");
  const withMore = (more: string): Promise<void> => {
    writeFileSync(file, right.replace("({ config }) => ({ home: {", `({ config, lib }) => ({ home: { ${more},`));
    return typeCheckConfig({ file, installation });
  };
  await withMore('activation: { a: "x", b: lib.hm.dag.entryAfter(["a"], "y"), c: { data: "z", after: ["a"], before: [] } }, settings: { a: true, b: [[1], [2]], c: "x", d: lib.hm.gvariant.mkUint32(3), ...(config.home.activation["a"]?.data === "x" ? { e: 1.5 } : {}) }');
  for (const wrong of ["activation: { a: 3 }", "activation: { a: { data: 3, after: [], before: [] } }", "settings: { a: null }", "settings: { a: { b: 1 } }"]) await assert.rejects(withMore(wrong), /is not assignable/, wrong);
  writeFileSync(file, right.replace("config.home.username.toUpperCase()", "config.home.username.length"));
  await assert.rejects(typeCheckConfig({ file, installation }), /'number' is not assignable/);
});

test("a project that sets no modules of NixOS reads no types of options, until a configuration does", async () => {
  write({ "shell/tsos.lock": '{ "version": 1, "inputs": {} }', "shell/shell.config.ts": 'import { defineShell } from "tsos";\nexport default defineShell({ inputs: { nixpkgs: "path:../tree" }, config: ({ pkgs }) => ({ packages: [pkgs.nixpkgs.greeting] }) });\n' });
  const inShell = (...args: readonly string[]): Promise<TsosResult> => runTsos(args, { cwd: join(folder, "shell"), stateFolder: join(folder, "state"), env: { HOME: folder, NIX_PATH: "" } });
  assert.equal((await inShell("update")).code, 0);
  assert.equal((await inShell("update", "--types")).stdout, "types of nixpkgs\n");
  const imports = (): readonly string[] => [...readFileSync(join(folder, "shell/.tsos/inputs.d.ts"), "utf8").matchAll(/^import .*\/([a-z]+)\.d\.ts";$/gm)].map(([, name]) => name!);
  assert.deepEqual(imports(), ["packages"]);
  writeFileSync(join(folder, "shell/system.config.ts"), CONFIG('{ greet: { tone: "high" } }'));
  // The tree has options and no configuration: what counts is that the compiler is told of them.
  await inShell("check", "-c", "system.config.ts");
  assert.deepEqual(imports(), ["packages", "options"]);
  const { typeCheckConfig } = await import("../../core/config/type-check.ts");
  await assert.rejects(typeCheckConfig({ file: join(folder, "shell/system.config.ts"), installation }), /"high"/);
  await inShell("update", "--types");
  assert.deepEqual(imports(), ["packages", "options"]);
});

test("a tree that is no nixpkgs has no types", async () => {
  mkdirSync(join(folder, "plain"), { recursive: true });
  write({ "plain/default.nix": "{ }", "other/system.config.ts": CONFIG("{}").replace("../tree", "../plain"), "other/tsos.lock": '{ "version": 1, "inputs": {} }' });
  const again = await runTsos(["update", "-c", "../other/system.config.ts"], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } });
  assert.equal(again.code, 0, again.stderr);
  const made = await runTsos(["update", "--types", "-c", "../other/system.config.ts"], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } });
  assert.equal(made.stdout, "no input is a tree of nixpkgs or home-manager\n", made.stderr);
  assert.equal(existsSync(join(folder, "other/.tsos")), false);
});
