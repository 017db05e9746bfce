import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startTsos, type TsosResult } from "../tsos-process.ts";
import { DUMP, OWN_FLAKE, OWN_SHELL, OWN_STDENV, STRUCTURED_SHELL } from "./own-stdenv.ts";

const state = mkdtempSync(join(tmpdir(), "tsos-project-"));
after(() => rmSync(state, { recursive: true, force: true }));

function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(state, "p-"));
  for (const [name, text] of Object.entries({ "stdenv.nix": OWN_STDENV, dump: DUMP, ...files })) writeFileSync(join(folder, name), text);
  return folder;
}

const env: Readonly<Record<string, string>> = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: state,
  TERM: "dumb",
  NIX_PATH: "",
  NIX_CONFIG: "substituters =\nsandbox = false\nbuild-users-group =\nexperimental-features = nix-command flakes",
  NIX_BUILD_SHELL: "/bin/bash",
  HOST_ONLY: "1",
  XDG_DATA_DIRS: "/host/share",
  TSOS_CACHE_DIR: join(state, "cache"),
  TSOS_STATE_DIR: join(state, "state"),
};
const ONLY = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));

async function shell(folder: string, args: readonly string[], more: Readonly<Record<string, string | undefined>> = {}, command = "shell"): Promise<TsosResult> {
  return startTsos([command, ...args], { cwd: folder, stateFolder: state, env: { ...ONLY, ...env, ...more } }).ended;
}

/** A bash's state without what names this run, and without what a bash tells about itself. */
function comparable(dump: string): readonly string[] {
  return dump
    .replace(/\/tmp\/nix-shell[-.][A-Za-z0-9-]+(?:\/0\b)?/g, "TMP")
    // An older reference builds in the folder itself.
    .replace(/"\/tmp(?=\/made|")/g, '"TMP')
    .split("\n")
    .filter((line) => !/^declare -\S+ (?:BASH_|_=|LINENO|SECONDS|RANDOM|SRANDOM|EPOCH|PPID|PIPESTATUS|OLDPWD|SHLVL)/.test(line));
}

const noReference = spawnSync("nix-shell", ["--version"]).status === 0 && process.getuid?.() === 0 ? false : "no nix-shell that shares this store to compare with";

for (const [what, files, flags] of [
  ["variables, functions, hooks, traps and options", { "shell.nix": OWN_SHELL }, []],
  ["a pure shell", { "shell.nix": OWN_SHELL }, ["--pure"]],
  ["structured attributes", { "shell.nix": STRUCTURED_SHELL }, []],
] as const) {
  test(`is what nix-shell gives, at the first entry and at the next: ${what}`, { skip: noReference }, async () => {
    const folder = project(files);
    const reference = spawnSync("nix-shell", [...flags, "--run", "source ./dump"], { cwd: folder, env: { ...env }, encoding: "utf8" });
    assert.equal(reference.status, 0, reference.stderr);
    // The reference has placeholders where the paths of the outputs belong, and an older one keeps the text it made the rest of.
    const known = comparable(reference.stdout).filter((line) => !/^declare -A outputs=|^declare -x __json=/.test(line));
    for (let entry = 1; entry <= 2; entry++) {
      const { code, stdout, stderr } = await shell(folder, [...flags, "--", "source", "./dump"]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(comparable(stdout).filter((line) => !line.startsWith("declare -A outputs=")), known, `entry ${entry}`);
    }
  });
}

/** A tree that is taken for nixpkgs, whose bash is a link to the machine's. */
const OWN_NIXPKGS = `{ ... }: { bashInteractive = derivation { name = "bash-own"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "/bin/mkdir -p $out/bin; /bin/ln -s /bin/bash $out/bin/bash" ]; }; }
`;

test("the shell is nixpkgs' own bash: of <nixpkgs> for a file, of its input for a flake", async () => {
  const nixpkgs = project({ "default.nix": OWN_NIXPKGS, "flake.nix": "{ outputs = _: { legacyPackages.x86_64-linux = import ./. { }; }; }" });
  const ofFile = await shell(project({ "shell.nix": OWN_SHELL }), ["--", "sh", "-c", "tr '\\0' ' ' < /proc/$PPID/cmdline"], { NIX_BUILD_SHELL: undefined, NIX_PATH: `nixpkgs=${nixpkgs}` });
  assert.match(ofFile.stdout, /^\/nix\/store\/\w{32}-bash-own\/bin\/bash /, ofFile.stderr);
  assert.doesNotMatch(ofFile.stderr, /warning/);
  const folder = project({ "flake.nix": OWN_FLAKE.replace("{ self }", "{ self, nixpkgs }").replace("{", `{\n  inputs.nixpkgs.url = "path:${nixpkgs}";`), "structured.nix": STRUCTURED_SHELL });
  const ofFlake = await shell(folder, ["--", "sh", "-c", "echo $SHELL"], { NIX_BUILD_SHELL: undefined });
  assert.match(ofFlake.stdout, /^\/nix\/store\/\w{32}-bash-own\/bin\/bash$/m, ofFlake.stderr);
});

test("runs commands with the shell's functions and gives their exit code", async () => {
  const folder = project({ "shell.nix": OWN_SHELL });
  for (let entry = 1; entry <= 2; entry++) {
    const { code, stdout, stderr } = await shell(folder, ["--", "hooked_function", "a b", "c"]);
    assert.deepEqual([code, stdout], [5, "tool says a b c\n"], stderr);
    assert.equal((await shell(folder, ["--", "sh", "-c", "cat $MADE $bigPath; exit 7"])).stdout, "hi\ncontents of big");
  }
  assert.equal((await shell(folder, ["--", "sh", "-c", "exit 7"])).code, 7);
  assert.equal((await shell(folder, ["--", "no-such-program"])).code, 127);
  // The shell's own folder is gone.
  const { stdout } = await shell(folder, ["--", "sh", "-c", "echo $NIX_BUILD_TOP"]);
  assert.throws(() => readdirSync(stdout.trim()), /ENOENT/);
});

test("a change of what was read is seen, another terminal is none", async () => {
  const folder = project({ "shell.nix": OWN_SHELL, "value.nix": '"first"' });
  writeFileSync(join(folder, "shell.nix"), OWN_SHELL.replace(/VALUE = .*/, 'VALUE = import ./value.nix + builtins.getEnv "ASKED";'));
  const value = async (more: Readonly<Record<string, string>> = {}): Promise<string> => (await shell(folder, ["--", "sh", "-c", "echo $VALUE $XDG_DATA_DIRS"], more)).stdout.trim();
  assert.equal(await value(), "first /from/setup:/host/share");
  const kept = join(state, "cache/nix-shells");
  const count = readdirSync(kept).length;
  assert.equal(await value({ TERM: "xterm", SSH_CONNECTION: "x" }), "first /from/setup:/host/share");
  assert.equal(readdirSync(kept).length, count);
  const { atime, mtime } = await import("node:fs").then(({ statSync }) => statSync(join(folder, "value.nix")));
  writeFileSync(join(folder, "value.nix"), '"other"');
  // Not even a program that sets the time back hides it.
  utimesSync(join(folder, "value.nix"), atime, mtime);
  assert.equal(await value(), "other /from/setup:/host/share");
  assert.equal(await value({ ASKED: "!" }), "other! /from/setup:/host/share");
  assert.equal(await value({ XDG_DATA_DIRS: "/b" }), "other /from/setup:/b");
});

test("a known shell is made again when its root is gone", async () => {
  const folder = project({ "shell.nix": OWN_SHELL });
  assert.equal((await shell(folder, ["--", "true"])).code, 0);
  const entry = readdirSync(join(state, "cache/nix-shells")).map((name) => join(state, "cache/nix-shells", name)).find((file) => readFileSync(file, "utf8").includes(folder))!;
  const [known] = JSON.parse(readFileSync(entry, "utf8")) as [{ readonly root: string }];
  rmSync(known.root);
  const again = await shell(folder, ["--", "sh", "-c", "echo $VALUE"]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^a 'b' "c"/);
});

test("prints the environment as a script and as JSON, what a hook prints aside", async () => {
  const folder = project({ "shell.nix": OWN_SHELL });
  const { code, stdout, stderr } = await shell(folder, ["env"]);
  assert.equal(code, 0, stderr);
  const sourced = spawnSync("bash", ["-c", `${stdout}\necho "$HOOKED $VALUE"; type -P tool`], { env: { ...env }, encoding: "utf8" });
  assert.match(sourced.stdout, /^yes a 'b' "c" \n d\n\/nix\/store\/\S+-tool-1\.2\/bin\/tool\n$/);
  const json = JSON.parse((await shell(folder, ["env", "--json"])).stdout) as { readonly variables: Readonly<Record<string, string>> };
  assert.equal(json.variables["HOOKED"], "yes");
});

test("a flake's shell has the environment of its build, with its outputs in ./outputs, and follows the files of the flake", async () => {
  const folder = project({ "flake.nix": OWN_FLAKE, "structured.nix": STRUCTURED_SHELL });
  for (let entry = 1; entry <= 2; entry++) {
    const { code, stdout, stderr } = await shell(folder, ["--", "sh", "-c", "echo $HOOKED $out $name $XDG_DATA_DIRS; tool x"]);
    assert.deepEqual([code, stdout], [5, `yes ${folder}/outputs/out own-shell-env /from/setup:/host/share\ntool says x\n`], stderr);
  }
  const { stdout, stderr } = await shell(folder, [".#structured", "--", "sh", "-c", "echo $SEEN; cat $NIX_ATTRS_JSON_FILE"]);
  assert.match(stdout, /^a b\n\{.*"list":\["a b","c"\]/s, stderr);
  writeFileSync(join(folder, "flake.nix"), OWN_FLAKE.replace("HOOKED=yes", "HOOKED=changed"));
  assert.match((await shell(folder, ["--", "sh", "-c", "echo $HOOKED"])).stdout, /^changed/);
});

test("builds, runs and checks what a flake has", async () => {
  const folder = project({ "flake.nix": OWN_FLAKE, "structured.nix": STRUCTURED_SHELL });
  const built = await shell(folder, [".#tool"], {}, "build");
  assert.match(built.stdout, /^\/nix\/store\/\S+-tool-1\.2\n$/, built.stderr);
  assert.equal((await shell(folder, ["--no-link"], {}, "build")).stdout, built.stdout);
  assert.deepEqual(await shell(folder, [".#app", "--", "hello"], {}, "run").then(({ code, stdout }) => [code, stdout]), [5, "tool says hello\n"]);
  assert.deepEqual(await shell(folder, [], {}, "run").then(({ code, stdout }) => [code, stdout]), [5, "tool says\n"]);
  assert.match((await shell(folder, [], {}, "check")).stdout, /is sound: 6 outputs/);
  writeFileSync(join(folder, "flake.nix"), OWN_FLAKE.replace("tool = s.tool;", 'tool = throw "broken here";'));
  const broken = await shell(folder, [], {}, "check");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /packages\.x86_64-linux\.tool\n[\s\S]*broken here/);
  assert.match((await shell(folder, [".#nope"], {}, "build")).stderr, /does not provide attribute/);
});

test("a file that is several derivations, and one whose setup fails, say so", async () => {
  const many = project({ "default.nix": "let s = import ./stdenv.nix; in { inherit (s) tool stdenv; }" });
  assert.match((await shell(many, ["--", "true"])).stderr, /is 2 derivations, a shell is one/);
  assert.match((await shell(many, ["tool"], {}, "build")).stdout, /-tool-1\.2\n$/);
  mkdirSync(join(many, "below"));
  assert.match((await shell(join(many, "below"), ["tool", "--no-link"], {}, "build")).stdout, /-tool-1\.2\n$/);
  const failing = project({ "shell.nix": 'let s = import ./stdenv.nix; in s.mkShell { stdenv = derivation { name = "f"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "/usr/bin/mkdir $out; echo \'exit 9\' > $out/setup" ]; }; }' });
  assert.equal((await shell(failing, ["--", "true"])).code, 9);
});
