import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { SMALL_NIXOS } from "../core/interop/small-nixos.ts";
import { runTsos, type TsosResult } from "./tsos-process.ts";

function project(t: TestContext, modules: string, files: Readonly<Record<string, string>> = {}): ((...args: readonly string[]) => Promise<TsosResult>) & { readonly write: (name: string, text: string) => void; readonly read: (name: string) => string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nixos-cli-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const all = { ...Object.fromEntries(Object.entries(SMALL_NIXOS).map(([name, text]) => [`nixpkgs/${name}`, text])), ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`project/${name}`, text])) };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, "project"), { recursive: true });
  writeFileSync(join(folder, "project/system.config.ts"), `import { defineInputs, defineNixosSystem, nixFile, path, type NixosModule } from "tsos";
const inputs = defineInputs({ nixpkgs: "path:../nixpkgs" });
const modules: readonly NixosModule[] = [${modules}];
void nixFile; void path;
export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules });
`);
  const run = (...args: readonly string[]): Promise<TsosResult> => runTsos([...args, "--store", join(folder, "store")], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } });
  return Object.assign(run, { folder, read: (name: string) => readFileSync(join(folder, "project", name), "utf8"), write: (name: string, text: string) => writeFileSync(join(folder, "project", name), text) });
}

describe("a system of NixOS' modules", () => {
  test("is evaluated and type-checked, its options are shown, Nix files of the project see their neighbours", async (t) => {
    const run = project(t, '{ networking: { hostName: "ts" } }, nixFile("./nix/text.nix"), ({ pkgs }) => ({ environment: { text: [`${pkgs["hello"]}`] } })', {
      "nix/text.nix": "{ imports = [ ./more.nix ]; }",
      "nix/more.nix": '{ environment.text = [ "${./more.nix}" ]; }',
    });
    const name = await run("eval", "networking.hostName");
    assert.equal(name.code, 0, name.stderr);
    assert.equal(JSON.parse(name.stdout), "ts");
    const text = await run("eval", "environment.text");
    assert.match(text.stdout, /-more\.nix"[\s\S]*-hello"/);
    const checked = await run("check", "--json");
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(checked.stdout, /-nixos-system-ts\.drv/);
  });

  test("is evaluated again when a Nix file of the project changed", async (t) => {
    const files = { "name.nix": '{ networking.hostName = "one"; }' };
    const run = project(t, 'nixFile("./name.nix"), { environment: { text: [] } }', files);
    const first = await run("eval", "networking.hostName");
    assert.equal(first.stdout.trim(), '"one"', first.stderr);
    run.write("name.nix", '{ networking.hostName = "another"; }');
    assert.equal((await run("eval", "networking.hostName")).stdout.trim(), '"another"');
  });

  test("that fails in a Nix file shows that file's line", async (t) => {
    const run = project(t, 'nixFile("./broken.nix")', { "broken.nix": '{ networking.hostName = throw "no name yet"; environment.text = [ ]; }' });
    const { code, stderr } = await run("eval", "networking.hostName");
    assert.equal(code, 1);
    assert.match(stderr, /no name yet/);
    assert.match(stderr, /in the Nix expression[\s\S]*broken\.nix:1:25/);
  });

  test("that reads what is not there shows the line of TypeScript", async (t) => {
    const run = project(t, '({ config }) => ({ networking: { hostName: config["networking"].hostNam } })');
    const { code, stderr } = await run("eval", "networking.hostName");
    assert.equal(code, 1);
    assert.match(stderr, /there is no "hostNam"/);
    assert.match(stderr, /system\.config\.ts:3:\d+/);
  });

  test("is edited by the types of its options, inside of submodules as well", async (t) => {
    const run = project(t, 'nixFile("./name.nix"), { environment: { text: [] } }', { "name.nix": "{ }" });
    const done = await run("set", "services.web.enable", "true");
    assert.equal(done.code, 0, done.stderr);
    assert.equal((await run("set", 'environment.hosts."a.example".mode', "on")).code, 0);
    assert.equal((await run("set", "environment.hosts.b.port", "80")).code, 0);
    assert.match(run.read("system.config.ts"), /\{ environment: \{ text: \[\], hosts: \{ "a\.example": \{ mode: "on" \}, b: \{ port: 80 \} \} \}, services: \{ web: \{ enable: true \} \} \}/);
    const wrong = await run("set", "environment.hosts.b.mode", "onn");
    assert.deepEqual([wrong.code, wrong.stderr], [1, 'error: the option "environment.hosts.b.mode" must be null or one of "on", "off", got "onn"\n  hint: did you mean "on"?\n']);
    const unknown = await run("set", "services.web.enabel", "true");
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'error: the option "services.web.enabel" does not exist\n  hint: did you mean "services.web.enable"?\n']);
    assert.match((await run("set", "services.web", "true")).stderr, /"services\.web" is a set of options/);
    const shown = await run("option", "show", "environment.hosts.<name>.mode");
    assert.match(shown.stdout, /How\.\n\ntype +null or one of "on", "off"\ndeclared +small\.nix\n$/);
    const before = run.read("system.config.ts");
    run.write("name.nix", '{ networking.hostName = "nix"; }');
    const conflict = await run("set", "networking.hostName", "ts");
    assert.match(conflict.stderr, /would not be sound with this change[\s\S]*conflicting definition values/);
    assert.equal(run.read("system.config.ts"), before);
  });

  test("of a commit is what the tree's own flake makes of it", async (t) => {
    const run = project(t, '{ environment: { text: [] } }', {
      "../nixpkgs/flake.nix": `{ outputs = { self }: { lib.nixosSystem = args: import ./nixos/lib/eval-config.nix (args // { modules = args.modules ++ [ { networking.hostName = "of-\${self.shortRev}-\${self.lastModifiedDate}"; environment.text = [ "\${self}" ]; } ]; }); }; }`,
    });
    const tree = join(run.folder, "nixpkgs");
    const git = (...words: readonly string[]): string => execFileSync("git", ["-C", tree, "-c", "user.name=a", "-c", "user.email=a@a.example", ...words], { encoding: "utf8", env: { ...process.env, GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z" } }).trim();
    assert.equal((await run("eval", "networking.hostName")).stdout.trim(), '"nixos"', "a tree that is no commit is none of a flake");
    git("init", "-q");
    git("add", ".");
    git("commit", "-q", "-m", "one");
    run.write("system.config.ts", run.read("system.config.ts").replace('"path:../nixpkgs"', `"git+file://${tree}"`));
    const name = await run("eval", "networking.hostName");
    assert.equal(name.stdout.trim(), `"of-${git("rev-parse", "--short=7", "HEAD")}-20260102030405"`, name.stderr);
    assert.match((await run("eval", "environment.text")).stdout, /^\[\s*"\/nix\/store\/[a-z0-9]{32}-source"\s*\]/);
  });
});
