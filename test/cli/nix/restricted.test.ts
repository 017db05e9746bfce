/** What restricted and pure evaluations may see. Expectations are what Nix 2.34.8 prints. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const inside = join(trial.folder, "in");
const outside = join(trial.folder, "out");
mkdirSync(join(inside, "sub"), { recursive: true });
mkdirSync(outside);
writeFileSync(join(outside, "secret.nix"), '"secret"');
writeFileSync(join(inside, "ok.nix"), "1");
writeFileSync(join(inside, "through.nix"), "import ./link.nix");
writeFileSync(join(inside, "sub/default.nix"), "import ../ok.nix");
symlinkSync("../out/secret.nix", join(inside, "link.nix"));
symlinkSync("../out", join(inside, "folder"));
symlinkSync("ok.nix", join(inside, "inner.nix"));
symlinkSync(inside, join(trial.folder, "way-in"));

const evaluate = (mode: string, expression: string, ...args: readonly string[]) => trial.run("instantiate", "--eval", "--strict", mode, ...args, "-E", expression);
const refused = (path: string, result: { readonly code: number | null; readonly stdout: string; readonly stderr: string }, mode = "in restricted mode"): void => {
  assert.deepEqual([result.code, result.stdout], [1, ""]);
  assert.ok(result.stderr.includes(`error: access to absolute path '${path}' is forbidden ${mode}`), result.stderr);
};

test("a restricted evaluation reads what the search path holds, and nothing else", () => {
  const see = (expression: string) => evaluate("--restrict-eval", expression, "-I", inside);
  assert.equal(see(`import ${inside}/ok.nix`).stdout, "1\n");
  assert.equal(see(`import ${inside}/inner.nix`).stdout, "1\n");
  assert.equal(see(`import ${inside}/sub`).stdout, "1\n");
  refused("/etc/passwd", see("builtins.readFile /etc/passwd"));
  assert.equal(see(`builtins.attrNames (builtins.readDir ${trial.folder})`).stdout, '[ "in" ]\n');
  assert.equal(see(`map builtins.pathExists [ ${inside}/ok.nix ${inside}/link.nix ${inside}/folder/secret.nix ${outside} /etc ]`).stdout, "[ true true false false false ]\n");
  assert.equal(see('builtins.getEnv "HOME"').stdout, '""\n');
});

test("no symbolic link leads a restricted evaluation out", () => {
  const see = (expression: string) => evaluate("--restrict-eval", expression, "-I", `x=${inside}`);
  const secret = join(outside, "secret.nix");
  for (const expression of [
    `import ${inside}/link.nix`, `import ${inside}/through.nix`, "<x/link.nix>", `builtins.readFile ${inside}/folder/secret.nix`, `builtins.hashFile "sha256" ${inside}/link.nix`,
    `builtins.path { path = ${inside}/link.nix; name = "x"; }`, `"\${${secret}}"`, `"\${${inside}/folder/secret.nix}"`, `builtins.readFile "${inside}/folder/../out/secret.nix"`,
  ]) {
    const result = see(expression);
    assert.equal(result.code, 1, `${expression}: ${result.stdout}`);
    assert.doesNotMatch(result.stdout, /secret/, expression);
    assert.match(result.stderr, /forbidden in restricted mode|does not exist/, expression);
  }
  refused(outside, see(`builtins.readDir ${inside}/folder`));
  // A folder above what may be seen holds that alone, also as a copy.
  for (const copy of [`builtins.path { path = ${trial.folder}; name = "x"; }`, `builtins.filterSource (p: t: true) ${trial.folder}`, `"\${${trial.folder}}"`]) {
    const result = evaluate("--restrict-eval", `builtins.attrNames (builtins.readDir (${copy}))`, "--read-write-mode", "-I", `x=${inside}`);
    assert.equal(result.stdout, '[ "in" ]\n', `${copy}: ${result.stderr}`);
  }
  refused(outside, see(`builtins.filterSource (p: t: true) ${outside}`));
  assert.equal(see(`builtins.readFileType ${inside}/link.nix`).stdout, '"symlink"\n');
});

test("an entry of the search path that is reached through a link outside is as good as missing", () => {
  assert.match(evaluate("--restrict-eval", "import <x/ok.nix>", "-I", `x=${trial.folder}/way-in`).stderr, /Nix search path entry '[^']*\/way-in' does not exist, ignoring/);
});

test("a pure evaluation sees only what it made itself", () => {
  const mode = "in pure evaluation mode (use '--impure' to override)";
  refused(`${inside}/ok.nix`, evaluate("--pure-eval", `import ${inside}/ok.nix`), mode);
  refused(`${inside}/ok.nix`, trial.run("instantiate", "--eval", "--pure-eval", `${inside}/ok.nix`), mode);
  refused(inside, evaluate("--pure-eval", `"\${${inside}}"`), mode);
  assert.equal(evaluate("--pure-eval", 'builtins.readFile (builtins.toFile "a" "b")', "--read-write-mode").stdout, '"b"\n');
  assert.equal(evaluate("--pure-eval", '[ (builtins ? currentTime) (builtins ? currentSystem) builtins.nixPath (builtins.getEnv "HOME") ]').stdout, '[ false false [ ] "" ]\n');
  assert.match(evaluate("--pure-eval", "<x>", "-I", `x=${inside}`).stderr, /cannot look up '<x>' in pure evaluation mode \(use '--impure' to override\)/);
  assert.match(evaluate("--pure-eval", "builtins.storePath /nix/store/x").stderr, /'builtins\.storePath' is not allowed in pure evaluation mode/);
  assert.match(evaluate("--pure-eval", "~/x").stderr, /the path '~\/x' can not be resolved in pure mode/);
  assert.equal(evaluate("--pure-eval", `import ${inside}/ok.nix`, "--impure").stdout, "1\n");
});

test("tsos nix eval is pure for expressions and not for files", () => {
  assert.equal(trial.run("eval", "--expr", "builtins ? currentTime").stdout, "false\n");
  assert.equal(trial.run("eval", "--impure", "--expr", "builtins ? currentTime").stdout, "true\n");
  assert.equal(trial.run("eval", "-f", `${inside}/sub`).stdout, "1\n");
  assert.equal(trial.run("eval", "--expr", '{ a = throw "x"; b = [ 1 2.5 (x: x) map (map 1) ]; e = { }; f = [ ]; }').stdout, "{ a = «error: x»; b = [ 1 2.5 «lambda @ «string»:1:31» «primop map» «partially applied primop map» ]; e = { }; f = [ ]; }\n");
  assert.equal(trial.run("eval", "--json", "--expr", "{ a = [ 1 2 ]; }", "a", "--apply", "builtins.length").stdout, "2\n");
});
