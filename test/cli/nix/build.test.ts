import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, test } from "node:test";
import { noReference, shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const write = (name: string, text: string): string => {
  const file = join(trial.folder, name);
  writeFileSync(file, text);
  return file;
};

test("builds, prints the outputs and makes links that are roots", () => {
  const file = write("default.nix", `{ a = ${shellDerivation("a", "echo a > $out; echo dev > $dev", 'outputs = [ "out" "dev" ];')}; b = ${shellDerivation("b", "echo b > $out")}; }`);
  const result = trial.run("build", "-A", "a", "-A", "a.dev", "-A", "b");
  assert.equal(result.code, 0, result.stderr);
  const paths = result.stdout.trim().split("\n");
  assert.deepEqual(paths.map((path) => readFileSync(path, "utf8")), ["a\n", "dev\n", "b\n"]);
  assert.deepEqual(["result", "result-dev", "result-2"].map((name) => readlinkSync(join(trial.folder, name))), paths);
  assert.equal(trial.run("build", file, "-A", "b", "--no-out-link").stdout, `${paths[2]!}\n`);
  assert.equal(trial.run("build", "-o", "named", trial.run("instantiate", file, "-A", "b").stdout.trim()).stdout, `${paths[2]!}\n`);
  assert.equal(readlinkSync(join(trial.folder, "named")), paths[2]);
});

test("takes an archive's URL for the file of expressions, and a link that leads to a derivation", () => {
  write("archived.nix", shellDerivation("archived", "echo in > $out"));
  execFileSync("tar", ["-cf", "pack.tar", "--transform", "s,archived.nix,pack/default.nix,", "archived.nix"], { cwd: trial.folder });
  const built = trial.run("build", "--no-out-link", `file://${trial.folder}/pack.tar`);
  assert.equal(built.code, 0, built.stderr);
  assert.equal(readFileSync(built.stdout.trim(), "utf8"), "in\n");
  symlinkSync(trial.run("instantiate", join(trial.folder, "archived.nix")).stdout.trim(), join(trial.folder, "leads"));
  assert.equal(trial.run("build", "--no-out-link", "leads").stdout, built.stdout);
});

test("a dry run says what would be built and builds nothing", () => {
  const result = trial.run("build", "--dry-run", "-E", shellDerivation("not-yet", "echo 1 > $out"));
  assert.deepEqual([result.code, result.stdout], [0, ""]);
  assert.match(result.stderr, /^this derivation will be built:\n {2}\S+-not-yet\.drv\n$/);
});

test("a cache that does not answer is asked, and complained of, once a command", () => {
  // Port 9 discards what it hears, where anything listens at all.
  const env = { NIX_CONFIG: "sandbox = false\nsubstituters = http://127.0.0.1:9\nbuild-users-group =" };
  const result = trial.runWith({ env }, "build", "--no-out-link", "-E", shellDerivation("uncached", "echo > $out"));
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr.match(/left out for a minute/g)?.length, 1, result.stderr);
});

test("the exit code says how a build failed", () => {
  assert.equal(trial.run("build", "--no-out-link", "-E", shellDerivation("fails", "exit 2")).code, 100);
  assert.equal(trial.run("build", "--no-out-link", "-E", shellDerivation("wrong", "echo x > $out", 'outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";')).code, 102);
  const differs = shellDerivation("differs", "read x < /proc/sys/kernel/random/uuid; echo $x > $out");
  assert.equal(trial.run("build", "--no-out-link", "-E", differs).code, 0);
  assert.equal(trial.run("build", "--no-out-link", "--check", "-E", differs).code, 104);
  assert.equal(trial.run("build", "-E", 'throw "x"').code, 1);
});

test("an interrupt ends a build, a build during an evaluation and an endless evaluation, with 130", async () => {
  const forever = shellDerivation("forever", "while :; do :; done");
  for (const [args, started] of [
    [["build", "-E", forever], /building '.*-forever.drv'/],
    [["instantiate", "--eval", "--read-write-mode", "-E", `import (${forever})`], /building '.*-forever.drv'/],
    [["instantiate", "--eval", "-E", "builtins.trace \"begun\" (builtins.foldl' (a: b: b) 0 (builtins.genList (x: builtins.foldl' (a: b: a + b) 0 (builtins.genList (y: y) 10000)) 10000000))"], /trace: begun/],
  ] as const) {
    const running = trial.start(...args);
    for (let waited = 0; !started.test(running.stderr()) && waited < 400; waited++) await sleep(50);
    assert.match(running.stderr(), started);
    await sleep(200);
    process.kill(running.pid, "SIGINT");
    const { code } = await running.ended;
    assert.equal(code, 130, running.stderr());
  }
});

const setup = `
  let
    setup = builtins.toFile "setup" ''
      export PATH=/usr/bin:/bin
      runHook() { eval "''\${!1}"; }
    '';
    stdenv = ${shellDerivation("stdenv", "/bin/mkdir $out; /bin/cp $setup $out/setup").replace(/\}$/, "inherit setup; }")};
  in`;

test("a shell has the environment of the derivation, its setup and its hook", () => {
  write("shell.nix", `{ inNixShell ? false }: ${setup} derivation { name = "sh"; system = "x86_64-linux"; builder = "/bin/sh"; inherit stdenv; VAR = "it's"; inNix = toString inNixShell; big = "in a file"; passAsFile = [ "big" ]; shellHook = "echo hook $VAR"; }`);
  const show = 'echo "$VAR $inNix $(cat $bigPath) ${OUTER-unset} $IN_NIX_SHELL"; exit 7';
  const run = (...args: readonly string[]) => trial.runWith({ env: { OUTER: "outer", NIX_BUILD_SHELL: "bash" } }, "shell", ...args, "--run", show);
  assert.deepEqual({ ...run(), stderr: "" }, { code: 7, stdout: "hook it's\nit's 1 in a file outer impure\n", stderr: "" });
  assert.equal(run("--pure").stdout, "hook it's\nit's 1 in a file unset pure\n");
  assert.equal(run("--pure", "--keep", "OUTER").stdout, "hook it's\nit's 1 in a file outer pure\n");
});

test("structured attributes are declared in the shell", () => {
  const file = write("structured.nix", `${setup} derivation { name = "st"; system = "x86_64-linux"; builder = "/bin/sh"; inherit stdenv; __structuredAttrs = true; list = [ "a b" "c" ]; table = { k = "v"; }; }`);
  const result = trial.runWith({ env: { NIX_BUILD_SHELL: "bash" } }, "shell", file, "--run", 'echo "${list[0]}|${list[1]}|${table[k]}|$(basename $NIX_ATTRS_SH_FILE)"');
  assert.deepEqual([result.code, result.stdout], [0, "a b|c|v|.attrs.sh\n"], result.stderr);
});

test("a script names its shell in its own lines", () => {
  const script = write("script.sh", '#! /usr/bin/env nix-shell\n#! nix-shell -i bash --pure shell.nix\necho "$# $1 $VAR"\n');
  const result = trial.runWith({ env: { NIX_BUILD_SHELL: "bash" } }, "shell", script, "a b", "c");
  assert.deepEqual([result.code, result.stdout], [0, "hook it's\n2 a b it's\n"], result.stderr);
});

test("shell runs as the machine's own nix-shell does", { skip: noReference }, () => {
  const args = ["shell.nix", "--pure", "--run", "echo $VAR $stdenv; env | cut -d= -f1 | sort"];
  const known = ["NIX_BUILD_SHELL", "bash"] as const;
  const ours = trial.runWith({ env: { [known[0]]: known[1] } }, "shell", ...args);
  process.env[known[0]] = known[1];
  const theirs = trial.reference("env", "NIX_BUILD_SHELL=bash", "nix-shell", ...args);
  delete process.env[known[0]];
  assert.equal(ours.stdout, theirs.stdout);
});

test("garbage collection leaves what roots reach", () => {
  const kept = readlinkSync(join(trial.folder, "result"));
  const result = trial.run("collect-garbage");
  assert.match(result.stdout, /^[0-9]+ store paths deleted, [0-9.]+ MiB freed\n$/);
  assert.ok(existsSync(kept));
  assert.equal(trial.run("store", "--gc", "--print-dead").stdout, "");
});
