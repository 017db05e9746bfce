/** `builtins.fetchMercurial`, beside the machine's own Nix where there is one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { noReference, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const noMercurial = spawnSync("hg", ["--version"]).status === 0 ? false : "this machine has no hg";
const evaluate = (expression: string, ...more: readonly string[]) => trial.run("instantiate", "--eval", "--strict", "--read-write-mode", ...more, "-E", expression);

test("a repository is fetched at its branch, at a tag, and with its changes", { skip: noMercurial }, () => {
  const repository = join(trial.folder, "repository");
  const hg = (...args: readonly string[]) => assert.equal(spawnSync("hg", args, { cwd: repository, env: { ...trial.env, HGPLAIN: "" } }).status, 0, args.join(" "));
  mkdirSync(join(repository, "folder"), { recursive: true });
  writeFileSync(join(repository, "a"), "a\n");
  writeFileSync(join(repository, "folder/b"), "b\n");
  symlinkSync("a", join(repository, "link"));
  hg("init");
  hg("add", "-q");
  hg("commit", "-q", "-m", "one", "-d", "0 0", "-u", "x");
  hg("tag", "t1", "-d", "0 0", "-u", "x");
  writeFileSync(join(repository, "not-tracked"), "x");
  const expressions = [`builtins.fetchMercurial ${repository}`, `builtins.fetchMercurial { url = "file://${repository}"; rev = "t1"; name = "named"; }`, `builtins.readDir "\${builtins.fetchMercurial ${repository}}"`];
  const check = (): void => {
    for (const expression of expressions) {
      const ours = evaluate(expression);
      assert.equal(ours.code, 0, ours.stderr);
      // What it calls the branch of a tag depends on what it remembers.
      const plain = (text: string): string => text.replace(/branch = "t1"/, 'branch = "default"');
      if (noReference === false) assert.equal(ours.stdout, plain(trial.reference("nix-instantiate", "--eval", "--strict", "--read-write-mode", "-E", expression).stdout));
    }
  };
  check();
  assert.match(evaluate(expressions[0]!).stdout, /branch = "default";.* revCount = 1; /);
  assert.match(evaluate(expressions[2]!).stdout, /^\{ "?\.hgtags"? = "regular"; a = "regular"; folder = "directory"; link = "symlink"; \}\n$/);
  writeFileSync(join(repository, "a"), "changed\n");
  check();
  const changed = evaluate(`let tree = builtins.fetchMercurial ${repository}; in [ (builtins.readFile (tree + "/a")) tree.shortRev ]`);
  assert.equal(changed.stdout, '[ "changed\\n" "000000000000" ]\n');
  assert.match(changed.stderr, /^warning: Mercurial tree '.*\/repository' is unclean$/m);
});

test("without the program it says so, and what is wrong before that", () => {
  const without = (expression: string, ...more: readonly string[]) => trial.runWith({ env: { PATH: "/nowhere" } }, "instantiate", "--eval", ...more, "-E", expression).stderr;
  assert.match(without('builtins.fetchMercurial "https://127.0.0.1:1/x"'), /while fetching the input 'hg\+https:\/\/127\.0\.0\.1:1\/x'\n\n\s*error: hg failed with exit code 1/);
  assert.match(without("builtins.fetchMercurial { }"), /error: 'url' argument required/);
  assert.match(without('builtins.fetchMercurial { url = "a"; foo = 1; }'), /error: unsupported argument 'foo' to 'fetchMercurial'\n\s*at «string»:1:38:/);
  assert.match(without('builtins.fetchMercurial { url = "/x"; rev = "a b~^"; }'), /error: invalid Mercurial branch\/tag name 'a b~\^'/);
  assert.match(without('builtins.fetchMercurial "https://127.0.0.1:1/x"', "--pure-eval"), /error: in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision/);
  assert.match(without('builtins.fetchMercurial "https://127.0.0.1:1/x"', "--restrict-eval"), /error: access to URI 'https:\/\/127\.0\.0\.1:1\/x' is forbidden in restricted mode/);
});
