import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { runTsos, type TsosResult } from "./tsos-process.ts";

const COLLECTION = `{ system, config ? { }, overlays ? [ ] }:
let
  make = attrs: derivation (attrs // { inherit system; builder = "/bin/sh"; args = [ "-c" "echo hello > $out" ]; });
  packages = {
    greeting = make { name = if config.loud or false then "greeting-loud" else "greeting"; src = ./files; };
    failing = throw "nobody packaged this";
    greet = { name }: "hello \${name}";
  };
in builtins.foldl' (set: overlay: set // overlay set set) packages overlays
`;

function project(t: TestContext, config: string): { readonly folder: string; readonly run: (...args: readonly string[]) => Promise<TsosResult> } {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nix-inputs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "collection/files"), { recursive: true });
  mkdirSync(join(folder, "project"));
  writeFileSync(join(folder, "collection/default.nix"), COLLECTION);
  writeFileSync(join(folder, "collection/files/text"), "a file");
  writeFileSync(join(folder, "project/shell.config.ts"), `import { defineShell, type NixPackages } from "tsos";

declare module "tsos" {
  interface Packages {
    readonly collection: NixPackages;
  }
}

${config}
`);
  return { folder, run: (...args) => runTsos([...args, "--store", join(folder, "store")], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } }) };
}

describe("a Nix expression in an input", () => {
  test("gives packages to a shell, with the input's configuration and overlays", async (t) => {
    const { run } = project(t, `export default defineShell({
  inputs: { collection: { url: "path:../collection", config: { loud: true }, overlays: [(final, prev) => ({ again: prev["greeting"] })] } },
  config: ({ pkgs, inputs }) => ({ packages: [pkgs.collection["again"]!], env: { TEXT: String((pkgs.collection["greet"] as unknown as (set: object) => string)({ name: inputs["collection"]!.name })) } }),
});`);
    const result = await run("eval", "--json");
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /-greeting-loud"/);
    assert.match(result.stdout, /hello collection/);
  });

  test("gives packages that are built as Nix builds them, with a /bin/sh", async (t) => {
    const { run } = project(t, `export default defineShell({ inputs: { collection: "path:../collection" }, config: ({ pkgs }) => ({ packages: [pkgs.collection["greeting"]!] }) });`);
    const { code, stdout, stderr } = await run("build", "pkgs.collection.greeting", "--no-link", "--no-check");
    assert.equal(code, 0, stderr);
    assert.equal((await run("store", "cat", stdout.trim())).stdout, "hello\n");
  });

  test("that fails shows the line that asked and the line of the expression", async (t) => {
    const { run } = project(t, `export default defineShell({
  inputs: { collection: "path:../collection" },
  config: ({ pkgs }) => ({ packages: [pkgs.collection["failing"]!] }),
});`);
    const { code, stderr } = await run("eval", "packages");
    assert.equal(code, 1);
    assert.match(stderr, /nobody packaged this/);
    assert.match(stderr, /collection\/default\.nix:6[\s\S]*> 6 \|/);
    assert.match(stderr, /shell\.config\.ts:11:\d+/);
  });

  test("without the attribute names the nearest one", async (t) => {
    const { run } = project(t, `export default defineShell({
  inputs: { collection: "path:../collection" },
  config: ({ pkgs }) => ({ packages: [pkgs.collection["greating"]!] }),
});`);
    const { code, stderr } = await run("eval", "packages");
    assert.equal(code, 1);
    assert.match(stderr, /there is no attribute "greating"/);
    assert.match(stderr, /did you mean "greeting"/);
  });

  test("that is in a folder of the project stands there for itself: nothing is locked", async (t) => {
    const { run, folder } = project(t, `import { path } from "tsos";
export default defineShell({
  inputs: { collection: { url: path("./own"), config: { loud: true } } },
  config: ({ pkgs, inputs }) => ({ packages: [pkgs.collection["greeting"]!], env: { TEXT: inputs["collection"]!.nix<string>("text.nix") } }),
});`);
    cpSync(join(folder, "collection"), join(folder, "project/own"), { recursive: true });
    writeFileSync(join(folder, "project/own/text.nix"), `"a text"`);
    const result = await run("eval", "--json");
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /-greeting-loud"[\s\S]*"a text"/);
    assert.equal(existsSync(join(folder, "project/tsos.lock")), false);
  });

  test("that fails in a new project is no error of its types as well", async (t) => {
    const { run, folder } = project(t, "");
    writeFileSync(join(folder, "project/shell.config.ts"), `import { defineShell } from "tsos";
export default defineShell({ inputs: { collection: "path:../collection" }, config: ({ pkgs }) => ({ packages: [pkgs.collection.failing] }) });
`);
    const { code, stderr } = await run("check");
    assert.equal(code, 1);
    assert.match(stderr, /nobody packaged this/);
    assert.doesNotMatch(stderr, /does not exist on type/);
  });

  test("with an option that no input has is an error", async (t) => {
    const { run } = project(t, `export default defineShell({ inputs: { collection: { url: "path:../collection", conf: {} } as never } });`);
    const { code, stderr } = await run("eval", "--json");
    assert.equal(code, 1);
    assert.match(stderr, /the input \"collection\" has the unknown option \"conf\"|the input "collection" has the unknown option "conf"/);
  });
});
