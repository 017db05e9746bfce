import assert from "node:assert/strict";
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { noReference, shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const write = (name: string, text: string): string => {
  const file = join(trial.folder, name);
  writeFileSync(file, text);
  return file;
};
const evaluate = (...args: readonly string[]) => trial.run("instantiate", "--eval", ...args);

test("prints values as the reference does", () => {
  for (const [args, expected] of [
    [["-E", "1 + 1"], "2\n"],
    [["-E", "{ a = 1 + 1; b = x: x; c = [ (1 + 1) ]; }"], "{ a = <CODE>; b = <CODE>; c = <CODE>; }\n"],
    [["--strict", "-E", "{ a = 1 + 1; b = x: x; c = [ (1 + 1) ]; }"], "{ a = 2; b = <LAMBDA>; c = [ 2 ]; }\n"],
    [["--strict", "--json", "-E", '{ a = [ 1 1.5 null "ü" ]; }'], '{"a":[1,1.5,null,"ü"]}\n'],
    [["--raw", "-E", '"a\\nb"'], "a\nb"],
    [["--xml", "-E", "{ a = 1 + 1; b = 2; }"], `<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attrs>\n    <attr column="3" line="1" name="a">\n      <unevaluated />\n    </attr>\n    <attr column="14" line="1" name="b">\n      <int value="2" />\n    </attr>\n  </attrs>\n</expr>\n`],
    [["--parse", "-E", "{ a = 1; }"], "{ a = 1; }\n"],
    [["-E", "1", "2"], "1\n2\n"],
  ] as const) {
    const result = evaluate(...args);
    assert.deepEqual([result.code, result.stdout], [0, expected], result.stderr);
  }
});

test("selects attributes and calls functions with the arguments given", () => {
  const file = write("args.nix", '{ n, s ? "s", ... }@all: { a."b.c" = [ n { inherit s; } ]; names = builtins.attrNames all; }');
  assert.equal(evaluate(file, "-A", 'a."b.c".1.s', "--arg", "n", "1 + 1", "--argstr", "s", "text").stdout, '"text"\n');
  assert.equal(evaluate("--strict", file, "-A", "names", "--arg", "n", "1", "--argstr", "z", "").stdout, '[ "n" "z" ]\n');
  const missing = evaluate("-E", "{ n }: { }", "-A", "names");
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /cannot evaluate a function that has an argument without a value \('n'\)/);
  assert.match(evaluate("-E", "{ ab = 1; }", "-A", "ac").stderr, /error: attribute 'ac' in selection path 'ac' not found\n.*Did you mean ab\?/);
});

test("reads an expression from standard input and files from the search path", () => {
  assert.equal(trial.runWith({ input: "2 * 3" }, "instantiate", "--eval", "-").stdout, "6\n");
  write("found.nix", "7");
  assert.equal(evaluate("-I", `here=${trial.folder}`, "<here/found.nix>").stdout, "7\n");
  assert.equal(trial.runWith({ env: { NIX_PATH: `a=/nonexistent:b=${trial.folder}` } }, "instantiate", "--find-file", "b/found.nix").stdout, `${trial.folder}/found.nix\n`);
  assert.match(evaluate("-E", "<nowhere>").stderr, /file 'nowhere' was not found in the Nix search path/);
  assert.equal(evaluate("-E", "(import <nix/fetchurl.nix> { url = \"http://x/y\"; sha256 = builtins.hashString \"sha256\" \"\"; }).name").stdout, '"y"\n');
});

test("errors go to stderr in the reference's layout, with the exit code 1", () => {
  const result = evaluate("-E", 'throw "no"');
  assert.deepEqual(result, { code: 1, stdout: "", stderr: 'error:\n       … while calling the \'throw\' builtin\n         at «string»:1:1:\n            1| throw "no"\n             | ^\n\n       error: no\n' });
  const usage = evaluate("--no-such-flag");
  assert.equal(usage.code, 1);
  assert.match(usage.stderr, /^error: unrecognised flag '--no-such-flag'\nTry 'tsos nix instantiate --help'/);
});

test("settings come from NIX_CONFIG, --option and flags; the command line wins", () => {
  const expression = 'builtins.traceVerbose "said" 1';
  const with_ = (config: string, ...args: readonly string[]) => trial.runWith({ env: { NIX_CONFIG: config } }, "instantiate", "--eval", ...args, "-E", expression).stderr;
  assert.match(with_("trace-verbose = true"), /trace: said/);
  assert.doesNotMatch(with_("trace-verbose = true", "--no-trace-verbose"), /said/);
  assert.match(with_("", "--option", "trace-verbose", "true"), /trace: said/);
  assert.match(with_("no-such-setting = 1"), /warning: unknown setting 'no-such-setting'/);
  const aborted = evaluate("--abort-on-warn", "-E", 'builtins.warn "w" 1');
  assert.equal(aborted.code, 1);
});

test("derivations are written to the store, with a root where one is asked for", () => {
  const expression = '{ n ? "x" }: { a = derivation { name = n; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; src = ./args.nix; }; }';
  const file = write("drv.nix", expression);
  const root = join(trial.folder, "root");
  const result = trial.run("instantiate", file, "-A", "a.dev", "--argstr", "n", "named", "--add-root", root, "--indirect");
  assert.deepEqual([result.code, result.stdout], [0, `${root}!dev\n`], result.stderr);
  const target = readlinkSync(root);
  assert.match(target, /-named\.drv$/);
  assert.equal(trial.run("store", "--query", "--roots", target).stdout, `${root} -> ${target}\n`);
  assert.match(trial.run("instantiate", file).stderr, /^warning: you did not specify '--add-root'/);
});

test("a dry run writes nothing", () => {
  const path = trial.run("instantiate", "--dry-run", "-E", shellDerivation("unwritten", "")).stdout.trim();
  assert.match(path, /-unwritten\.drv$/);
  assert.equal(trial.run("store", "--check-validity", "--print-invalid", path).stdout, `${path}\n`);
});

test("the .drv files are those of the machine's own Nix", { skip: noReference }, () => {
  mkdirSync(join(trial.folder, "tree/sub"), { recursive: true });
  write("tree/sub/file", "text");
  symlinkSync("sub/file", join(trial.folder, "tree/link"));
  const file = write(
    "same.nix",
    `let f = builtins.toFile "script" "echo"; a = ${shellDerivation("a", "echo a > $out", "script = f; tree = ./tree;")}; in
     { inherit a; b = derivation { name = "b"; system = "x86_64-linux"; builder = a; outputs = [ "out" "dev" ]; filtered = builtins.path { path = ./tree; name = "t"; filter = p: t: t != "symlink"; }; };
       nested = { recurseForDerivations = true; c = derivation { name = "c"; system = "x"; builder = "/b"; deps = [ a "\${a}/x" ]; }; }; }`,
  );
  assert.equal(trial.run("instantiate", file).stdout, trial.reference("nix-instantiate", file).stdout);
});

test("import from derivation builds while it evaluates, only where it may", () => {
  const expression = `let d = ${shellDerivation("generated", "echo '{ a = 41 + 1; }' > $out")}; in (import d).a`;
  const result = evaluate("--read-write-mode", "-E", expression);
  assert.deepEqual([result.code, result.stdout], [0, "42\n"], result.stderr);
  assert.match(evaluate("-E", `let d = ${shellDerivation("other", "echo 1 > $out")}; in import d`).stderr, /path '[^']*-other\.drv' is not valid/);
  const forbidden = evaluate("--read-write-mode", "--no-allow-import-from-derivation", "-E", expression);
  assert.match(forbidden.stderr, /because the option 'allow-import-from-derivation' is disabled/);
  const failed = evaluate("--read-write-mode", "-E", `import (${shellDerivation("failing", "exit 3")})`);
  assert.equal(failed.code, 100, "the exit code of a failed build");
  assert.match(failed.stderr, /while realising the context of path[^]*exit code 3/);
});

test("what is read from the store carries the references that its text names", () => {
  const expression = `let dep = ${shellDerivation("dep", "echo 1 > $out")}; user = derivation { name = "user"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo \${dep} > $out" ]; };
    in map (c: builtins.match ".*-(dep|user)" c) (builtins.attrNames (builtins.getContext (builtins.readFile user)))`;
  assert.equal(evaluate("--strict", "--read-write-mode", "-E", expression).stdout, '[ [ "dep" ] ]\n');
});

test("the import of a .drv file gives its outputs", () => {
  const expression = `let d = ${shellDerivation("imported", "", 'outputs = [ "out" "dev" ];')}; i = import (builtins.unsafeDiscardOutputDependency d.drvPath); in [ i.name (i.outPath == d.dev.outPath) (i.out.outPath == d.outPath) i.type ]`;
  assert.equal(evaluate("--strict", "--read-write-mode", "-E", expression).stdout, '[ "imported" true true "derivation" ]\n');
});

test("what takes long ends with all of its output, and its own status", () => {
  const long = "let sum = n: if n == 0 then 0 else 1 + sum (n - 1); times = builtins.foldl' (all: n: all + sum 5000) 0 (builtins.genList (n: n) 120); in";
  const text = `${long} builtins.seq times (builtins.concatStringsSep "," (builtins.genList toString 500000))`;
  const result = evaluate("--raw", "-E", text);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, Array.from({ length: 500_000 }, (_, n) => n).join(","));
  const failed = evaluate("-E", `${long} builtins.seq times (throw "too late")`);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /error: too late\n$/);
});

test("a string that is too long for the engine is an error, not a crash", () => {
  const grow = (times: number): string => `let double = s: s + s; grow = n: if n == 0 then "abcdefgh" else double (grow (n - 1)); in builtins.stringLength (grow ${times})`;
  assert.equal(trial.run("instantiate", "--eval", "-E", grow(25)).stdout, "268435456\n");
  const { code, stderr } = trial.run("instantiate", "--eval", "-E", grow(27));
  assert.equal(code, 1);
  assert.match(stderr, /^error: out of memory: a string is longer than 536870888 bytes/m);
});
