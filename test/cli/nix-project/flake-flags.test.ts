/** Flags of flakes and `.nix` files of `tsos build`, `run`, `check` and `shell`; the messages are those of the reference, 2.34. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { runTsos, type TsosResult } from "../tsos-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-flake-flags-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const FLAKE = `{
  inputs.one.url = "path:${folder}/one";
  outputs = { self, one }: let make = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo made > $out" ]; } // more); in {
    packages.x86_64-linux = {
      default = make "of-\${one.v}" { };
      other = make "other" { outputs = [ "out" "dev" ]; args = [ "-c" "echo > $out; echo > $dev" ]; };
      impure = make "on-\${builtins.currentSystem}" { };
    };
    packages.aarch64-linux.default = throw "far away";
    checks.aarch64-linux.far = derivation { name = "far"; system = "aarch64-linux"; builder = "/bin/sh"; };
    apps.x86_64-linux.default = { type = "app"; meta.description = "says its words"; program = "\${./say.sh}"; };
  };
}
`;
const flake = join(folder, "flake");
const lock = join(flake, "flake.lock");

function run(...args: readonly string[]): Promise<TsosResult> {
  return runTsos(["--store", join(folder, "store"), ...args], { cwd: flake, stateFolder: join(folder, "state"), env: { HOME: folder, NIX_PATH: "", NIX_CONFIG: "substituters =" } });
}

/** Names of what was built, without hashes. */
const names = ({ stdout }: TsosResult): readonly string[] => stdout.trim().split("\n").map((path) => path.slice("/nix/store/".length + 33));
const links = (): Readonly<Record<string, string>> => Object.fromEntries(readdirSync(flake).filter((name) => name !== "flake.nix" && name !== "flake.lock" && name !== "default.nix" && name !== "say.sh").map((name) => [name, readlinkSync(join(flake, name)).slice("/nix/store/".length + 33)]));

before(() => {
  for (const name of ["one", "two"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "flake.nix"), `{ outputs = _: { v = "${name}"; }; }`);
  }
  mkdirSync(flake);
});
beforeEach(() => {
  for (const name of readdirSync(flake)) rmSync(join(flake, name));
  writeFileSync(join(flake, "flake.nix"), FLAKE);
  writeFileSync(join(flake, "say.sh"), '#!/bin/sh\necho $# "$@"\n', { mode: 0o755 });
});

test("several targets are built at once, with links that are numbered as those of nix build", async () => {
  const built = await run("build", ".#other^*", ".", "-o", "made");
  assert.equal(built.code, 0, built.stderr);
  assert.deepEqual(names(built), ["other-dev", "other", "of-one"]);
  assert.deepEqual(links(), { "made": "other", "made-dev": "other-dev", "made-1": "of-one" });
  const json = await run("build", ".", ".#other", "--no-link", "--json");
  const { results } = JSON.parse(json.stdout) as { readonly results: readonly { readonly output: string; readonly outPath: string }[] };
  assert.deepEqual(results.map(({ output, outPath }) => [output, outPath.slice(44)]), [["out", "of-one"], ["out", "other"]]);
  assert.match((await run("build", ".", ".#nope", "--no-link")).stderr, /does not provide attribute 'packages\.x86_64-linux\.nope'/);
});

test("attributes of a file are built at once, with links that are numbered as those of nix-build", async () => {
  rmSync(join(flake, "flake.nix"));
  writeFileSync(join(flake, "default.nix"), '{ word ? "none" }: let make = name: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }; in { a = make "a-${word}"; b = make "b"; }');
  const built = await run("build", "b", "a", "--argstr", "word", "said", "--out-link", "sub/made");
  assert.equal(built.code, 0, built.stderr);
  assert.deepEqual(names(built), ["b", "a-said"]);
  assert.deepEqual(readdirSync(join(flake, "sub")).sort(), ["made", "made-2"]);
  rmSync(join(flake, "sub"), { recursive: true });
  assert.deepEqual(names(await run("build", "a", "--arg", "word", 'toString 3', "--no-link")), ["a-3"]);
});

test("words for a program stand behind its name, its options after --", async () => {
  const said = async (...words: readonly string[]): Promise<string> => (await run("run", ...words)).stdout;
  assert.equal(await said(".", "007", "b c"), "2 007 b c\n");
  assert.equal(await said(".", "a", "--impure", "b", "--", "--impure", "--", "-x"), "5 a b --impure -- -x\n");
  assert.equal(await said("--", "a"), "1 a\n");
});

test("an input is exchanged for one command, and no lock file is written", async () => {
  const built = await run("build", "--no-link", "--override-input", "one", `path:${folder}/two`);
  assert.equal(built.code, 0, built.stderr);
  assert.deepEqual(names(built), ["of-two"]);
  assert.match(built.stderr, new RegExp(`^warning: not writing modified lock file of flake 'path:${flake}':\n• Added input 'one':\n    'path:${folder}/two\\?`));
  assert.match((await run("run", "--override-input", "one", `path:${folder}/two`)).stderr, /Added input 'one'/);
  const checked = await run("check", "--override-input", "none", `path:${folder}/two`);
  assert.match(checked.stderr, new RegExp(`^warning: input '' has an override for a non-existent input 'none'\nwarning: the flag '--override-input none path:${folder}/two' does not match any input\n`));
  assert.equal(existsSync(lock), false);
  assert.deepEqual([(await run("build", "--override-input", "one")).code, (await run("build", "--override-input", "one")).stderr.split("\n")[0]], [2, 'error: the option "--override-input" needs two values']);
});

for (const command of ["build", "check", "run", "shell"]) {
  test(`tsos ${command} leaves a lock file alone when it is told to`, async () => {
    for (const flag of ["--no-update-lock-file", "--locked"]) {
      const { code, stderr } = await run(command, flag);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`error: flake 'path:${flake}' requires lock file changes but they're not allowed due to '--no-update-lock-file'`));
    }
    assert.match((await run(command, "--no-write-lock-file")).stderr, /warning: not writing modified lock file of flake/);
    assert.equal(existsSync(lock), false);
  });
}

test("inputs are locked anew, and locks are read and written elsewhere", async () => {
  assert.equal((await run("build", "--no-link")).code, 0);
  const old = readFileSync(lock, "utf8").replaceAll(/"lastModified": \d+/g, '"lastModified": 1');
  writeFileSync(lock, old);
  const updated = await run("build", "--no-link", "--update-input", "one", "--output-lock-file", join(folder, "other.lock"));
  assert.match(updated.stderr, /^warning: '--update-input' is a deprecated alias for 'flake update'/);
  assert.equal(readFileSync(lock, "utf8"), old);
  const other = readFileSync(join(folder, "other.lock"), "utf8");
  assert.notEqual(other, old);
  assert.equal((await run("build", "--no-link", "--reference-lock-file", join(folder, "other.lock"))).stderr.includes("lock file"), false);
  const again = await run("build", "--no-link", "--recreate-lock-file");
  assert.match(again.stderr, /'--recreate-lock-file' is deprecated[^]*• Updated input 'one':/);
  assert.equal(readFileSync(lock, "utf8"), other);
});

test("a flake is evaluated in pure mode unless it is said otherwise", async () => {
  const pure = await run("build", ".#impure", "--no-link");
  assert.deepEqual([pure.code, pure.stderr.includes("error: attribute 'currentSystem' missing")], [1, true]);
  assert.deepEqual(names(await run("build", ".#impure", "--no-link", "--impure")), ["on-x86_64-linux"]);
  const option = await run("build", ".#impure", "--no-link", "--option", "pure-eval", "false");
  assert.equal(option.code, 0, option.stderr);
});

test("what is for other systems is checked on demand, and its checks are not built", async () => {
  const own = await run("check", `path:${flake}`, "--json");
  assert.equal(own.code, 1);
  writeFileSync(join(flake, "flake.nix"), FLAKE.replace(/impure = .*/, ""));
  const sound = JSON.parse((await run("check", "--json")).stdout) as { readonly problems: readonly unknown[]; readonly omittedSystems: readonly string[] };
  assert.deepEqual([sound.problems, sound.omittedSystems], [[], ["aarch64-linux"]]);
  const all = await run("check", "--json", "--all-systems");
  const report = JSON.parse(all.stdout) as { readonly outputs: readonly { readonly path: string }[]; readonly checks: readonly unknown[]; readonly problems: readonly { readonly path: string; readonly error: string }[] };
  assert.deepEqual([report.problems.map(({ path }) => path), report.checks], [["packages.aarch64-linux.default"], []]);
  assert.match(report.problems[0]!.error, /error: far away/);
  assert.ok(report.outputs.some(({ path }) => path === "checks.aarch64-linux.far"));
  const fragment = await run("check", ".#x");
  assert.match(fragment.stderr, /unexpected fragment 'x'/);
});

test("flags that mean nothing for what is asked for are refused", async () => {
  for (const [words, message] of [
    [["build", "pkgs.hello", "--impure"], 'error: --impure is for flakes and .nix files, and "pkgs.hello" is none'],
    [["build", "--arg", "x", "1"], "error: '--arg' and '--argstr' are incompatible with flakes"],
    [["run", ".", "--foo"], 'error: there is no option "--foo" of "tsos run"'],
  ] as const) {
    const { code, stderr } = await run(...words);
    assert.deepEqual([code, stderr.split("\n")[0]], [2, message]);
  }
});
