/** What `tsos build`, `run` and `check` say of a flake; the messages are those of the reference, 2.34. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runTsos, type TsosResult } from "../tsos-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-flake-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const FLAKE = (checks: string): string => `{
  outputs = { self }: let make = more: derivation ({ name = "tool-1.2"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo made > $out" ]; } // more); in {
    packages.x86_64-linux = { default = make { }; number = 3; several = make { name = "several"; outputs = [ "out" "dev" "man" ]; args = [ "-c" "echo > $out; echo > $dev; echo > $man" ]; } // { meta.outputsToInstall = [ "out" "man" ]; }; set = { a = make { name = "inner"; }; }; };
    legacyPackages.x86_64-linux = { deep.er = make { name = "deep"; }; "a.b" = make { name = "dotted"; }; text = "\${make { name = "of-text"; }}"; };
    paths = { file = ./flake.nix; text = "\${./flake.nix}"; plain = "text"; below = "\${./.}/flake.nix"; };
    apps.x86_64-linux = { number = { type = "app"; program = 3; }; odd = { type = "ap"; program = "/x"; }; none = { type = "app"; }; outside = { type = "app"; program = "/bin/true"; }; };
    checks.x86_64-linux = { ${checks} };
    checks.aarch64-linux.other = throw "not looked at";
  };
}
`;

function run(...args: readonly string[]): Promise<TsosResult> {
  return runTsos([...args, "--store", join(folder, "store")], { cwd: join(folder, "flake"), stateFolder: join(folder, "state"), env: { HOME: folder, NIX_PATH: "", NIX_CONFIG: "substituters =" } });
}

before(() => {
  mkdirSync(join(folder, "flake"));
  writeFileSync(join(folder, "flake/flake.nix"), FLAKE('good = make { name = "good"; };'));
});

for (const [target, name] of [["", "tool-1.2"], [".#set.a", "inner"], [".#deep.er", "deep"], ['.#"a.b"', "dotted"], [".#text", "of-text"], [".#legacyPackages.x86_64-linux.deep.er", "deep"]] as const) {
  test(`builds ${target === "" ? "the default" : target}`, async () => {
    const { code, stdout, stderr } = await run("build", "--no-link", ...(target === "" ? [] : [target]));
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^/nix/store/[a-z0-9]{32}-${name.replaceAll(".", "\\.")}\n$`));
  });
}

for (const [target, names] of [["several", ["several-man", "several"]], ["several^*", ["several-dev", "several-man", "several"]], ["several^dev", ["several-dev"]], ["paths.file", ["source"]], ["paths.text", ["flake.nix"]]] as const) {
  test(`builds what .#${target} means, with links to it`, async () => {
    const { code, stdout, stderr } = await run("build", `.#${target}`);
    assert.equal(code, 0, stderr);
    const paths = stdout.trim().split("\n");
    assert.deepEqual(paths.map((path) => path.slice("/nix/store/".length + 33)), names);
    const links = readdirSync(join(folder, "flake")).filter((name) => name.startsWith("result"));
    assert.deepEqual(links.map((name) => readlinkSync(join(folder, "flake", name))).sort(), [...paths].sort());
    for (const name of links) rmSync(join(folder, "flake", name));
  });
}

test("takes a folder and a URL without an attribute for a flake's default", async () => {
  const [named, here] = [await run("build", "--no-link"), await run("build", "--no-link", ".")];
  assert.deepEqual([here.code, here.stdout], [0, named.stdout], here.stderr);
  assert.equal((await run("build", "--no-link", `path:${join(folder, "flake")}`)).stdout, named.stdout);
});

for (const [words, message] of [
  ["build .#paths.plain", "string 'text' has 0 entries in its context. It should only have exactly one entry"],
  ["build .#paths.below", "has context with the different path '/nix/store/"],
  ["run .#number", "'apps.x86_64-linux.number.program' is not a string but an integer"],
  ["build .#number", "expected flake output attribute 'packages.x86_64-linux.number' to be a derivation or path but found an integer: 3"],
  ["build .#set", "expected flake output attribute 'packages.x86_64-linux.set' to be a derivation or path but found a set: { a = «thunk»; }"],
  ["build .#defaul", "does not provide attribute 'packages.x86_64-linux.defaul', 'legacyPackages.x86_64-linux.defaul' or 'defaul'\n       Did you mean default?"],
  ["run .#odd", "attribute 'apps.x86_64-linux.odd' should have type 'app'"],
  ["run .#none", "attribute 'apps.x86_64-linux.none.program' does not exist"],
  ["run .#outside", "app program '/bin/true' is not in the Nix store"],
  ["run .#packages.x86_64-linux.number", "attribute 'packages.x86_64-linux.number.type' does not exist"],
] as const) {
  test(`says what is wrong with ${words}`, async () => {
    const { code, stderr } = await run(...words.split(" "));
    assert.equal(code, 1);
    assert.ok(stderr.includes(message), stderr);
  });
}

const onlyChecks = (checks: string): void => writeFileSync(join(folder, "flake/flake.nix"), FLAKE(checks).replace(/packages\.x86_64-linux = .*/, "").replace(/apps\.x86_64-linux = .*/, ""));

test("builds the checks of this system, and says which one fails", async () => {
  onlyChecks('good = make { name = "good"; };');
  const sound = await run("check", "--json");
  assert.equal(sound.code, 0, sound.stderr);
  const report = JSON.parse(sound.stdout) as { readonly checks: readonly { readonly path: string; readonly isBuilt: boolean }[]; readonly omittedSystems: readonly string[]; readonly warnings: readonly string[] };
  assert.deepEqual(report.checks.map(({ path, isBuilt }) => [path, isBuilt]), [["checks.x86_64-linux.good", true]]);
  assert.deepEqual(report.omittedSystems, ["aarch64-linux"]);

  onlyChecks('good = make { }; bad = make { name = "bad"; args = [ "-c" "echo this is wrong; exit 3" ]; };');
  const failed = await run("check");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /failed to build attribute 'checks\.x86_64-linux\.bad'[\s\S]*exit code 3[\s\S]*this is wrong/);
  const evaluated = await run("check", "--no-build");
  assert.equal(evaluated.code, 0, evaluated.stderr);
});
