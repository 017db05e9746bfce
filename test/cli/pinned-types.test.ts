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
      greet.tone = option { name = "enum"; nestedTypes = { }; functor.payload.values = [ "loud" "low" 3 ]; } { };
      greet.people = option (t "attrsOf" { elemType = { name = "submodule"; nestedTypes = { }; getSubOptions = _: { age = option (t "nullOr" { elemType = t "int" { }; }) { }; }; }; }) { };
      greet.variants = option (t "attrsOf" { elemType = { name = "submodule"; nestedTypes = { }; functor.payload.modules = builtins.genList (n: { }) 600; getSubOptions = _: abort "a system within the system"; }; }) { };
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
  const index = /from "(.*)index\.d\.ts"/.exec(readFileSync(join(folder, "project/.tsos/inputs.d.ts"), "utf8"))![1]!;
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
  ["an unknown package", "{ greet: { by: pkgs.greetinx } }", /greetinx.*greeting/s],
  ["a value of another type", '{ greet: { tone: "high" } }', /"high"/],
  ["an option that is not there", "{ greet: { enable: config.greet.nothing } }", /nothing/],
];
for (const [what, body, errors] of cases) {
  test(`type-checks ${what}`, async () => {
    writeFileSync(join(folder, "project/system.config.ts"), CONFIG(body));
    const { typeCheckConfig } = await import("../../core/config/type-check.ts");
    const checked = typeCheckConfig({ file: join(folder, "project/system.config.ts"), installation });
    if (errors === undefined) await checked;
    else await assert.rejects(checked, (error: Error) => errors.test(`${error.message} ${String((error as { hint?: string }).hint)}`));
  });
}

test("a tree that is no nixpkgs has no types", async () => {
  mkdirSync(join(folder, "plain"), { recursive: true });
  write({ "plain/default.nix": "{ }", "other/system.config.ts": CONFIG("{}").replace("../tree", "../plain"), "other/tsos.lock": '{ "version": 1, "inputs": {} }' });
  const again = await runTsos(["update", "-c", "../other/system.config.ts"], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } });
  assert.equal(again.code, 0, again.stderr);
  const made = await runTsos(["update", "--types", "-c", "../other/system.config.ts"], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } });
  assert.equal(made.stdout, "no input is a tree of nixpkgs\n", made.stderr);
  assert.equal(existsSync(join(folder, "other/.tsos")), false);
});
