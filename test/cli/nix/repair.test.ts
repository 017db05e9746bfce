import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());

const dependency = shellDerivation("dependency", "echo dependency > $out");
const expression = `let dependency = ${dependency}; in ${shellDerivation("user", "echo $dependency > $out", "inherit dependency;")}`;
const build = (...args: readonly string[]): ReturnType<typeof trial.run> => trial.run("build", "--no-out-link", "-E", expression, ...args);
const pathOf = (text: string): string => trial.run("build", "--no-out-link", "-E", text).stdout.trim();
const damage = (path: string): void => {
  chmodSync(path, 0o644);
  writeFileSync(path, "damaged\n");
};

test("building with --repair builds again what is damaged or gone of all that the result needs, and nothing else", () => {
  const user = build().stdout.trim();
  const needed = pathOf(dependency);
  assert.equal(readFileSync(user, "utf8"), `${needed}\n`);
  assert.doesNotMatch(build("--repair").stderr, /building/);
  damage(needed);
  assert.equal(build().code, 0);
  assert.equal(readFileSync(needed, "utf8"), "damaged\n", "without it nobody looks");
  const repaired = build("--repair");
  assert.equal(repaired.code, 0, repaired.stderr);
  assert.match(repaired.stderr, /^found corrupted or missing path '\S+-dependency' in the output closure$/m);
  assert.doesNotMatch(repaired.stderr, /building '\S+-user\.drv'/);
  assert.equal(readFileSync(needed, "utf8"), "dependency\n");
  rmSync(user, { force: true });
  const drv = trial.run("instantiate", "-E", expression).stdout.trim();
  assert.equal(trial.run("store", "-r", drv, "--repair").code, 0);
  assert.equal(readFileSync(user, "utf8"), `${needed}\n`);
});

test("verifying with --repair mends what it finds, and fails for what nothing can mend", () => {
  const needed = pathOf(dependency);
  const source = trial.run("store", "--add", writeSource()).stdout.trim();
  damage(needed);
  const mended = trial.run("store", "--verify", "--check-contents", "--repair");
  assert.equal(mended.code, 0, mended.stderr);
  assert.equal(readFileSync(needed, "utf8"), "dependency\n");
  assert.equal(trial.run("store", "--verify", "--check-contents").code, 0);
  damage(source);
  const left = trial.run("store", "--verify", "--check-contents", "--repair");
  assert.equal(left.code, 1);
  assert.match(left.stderr, /cannot be repaired/);
  assert.match(trial.run("build", "--no-out-link", "-E", shellDerivation("of-source", "read x < $source; echo $x $source > $out", `source = builtins.storePath "${source}";`), "--repair").stderr, /some paths could not be repaired: '\S+-source'/);
});

function writeSource(): string {
  const file = join(trial.folder, "source");
  writeFileSync(file, "source\n");
  return file;
}

test("the program of post-build-hook is told of each derivation that was built or compared, and of none that was there", () => {
  const log = join(trial.folder, "told");
  const hook = join(trial.folder, "hook.sh");
  writeFileSync(hook, `#!/bin/sh\necho "told of $DRV_PATH"\n{ echo "$DRV_PATH"; echo "$OUT_PATHS"; for p in $OUT_PATHS; do [ -e "$p" ] || echo missing; done; echo "$NIX_CONFIG" | grep -c sandbox; } >> ${log}\n`, { mode: 0o755 });
  const two = `let first = ${shellDerivation("first", "echo 1 > $out; echo 2 > $dev", 'outputs = [ "out" "dev" ];')}; in ${shellDerivation("second", "echo $first > $out", "inherit first;")}`;
  const run = (...args: readonly string[]): ReturnType<typeof trial.run> => trial.run("build", "--no-out-link", "-E", two, "--post-build-hook", hook, ...args);
  const built = run();
  assert.equal(built.code, 0, built.stderr);
  const lines = readFileSync(log, "utf8").trim().split("\n");
  assert.equal(lines.length, 6, lines.join("\n"));
  assert.match(lines[0]!, /-first\.drv$/);
  assert.match(lines[1]!, /^\S+-first \S+-first-dev$|^\S+-first-dev \S+-first$/);
  assert.match(lines[3]!, /-second\.drv$/);
  assert.equal(lines[4], built.stdout.trim());
  assert.match(built.stderr, /^post-build-hook: told of \S+-second\.drv$/m);
  rmSync(log);
  assert.equal(run().code, 0);
  assert.equal(existsSync(log), false);
  assert.equal(run("--check").code, 0);
  assert.match(readFileSync(log, "utf8"), /-second\.drv/);
});

test("a post-build-hook that fails ends the build, whose outputs stay", () => {
  const one = shellDerivation("kept", "echo kept > $out");
  const failed = trial.run("build", "--no-out-link", "-E", one, "--post-build-hook", "/bin/false");
  assert.deepEqual([failed.code, failed.stderr.trim().split("\n").at(-1)], [1, "error: program '/bin/false' failed with exit code 1"]);
  const again = trial.run("build", "--no-out-link", "-E", one);
  assert.doesNotMatch(again.stderr, /building/);
  assert.equal(readFileSync(again.stdout.trim(), "utf8"), "kept\n");
});

test("a derivation whose output a root reaches is deleted by name where derivations are not to be kept", () => {
  const one = shellDerivation("rooted", "echo rooted > $out");
  const output = trial.run("build", "-o", join(trial.folder, "rooted"), "-E", one).stdout.trim();
  const drv = trial.run("store", "-q", "--deriver", output).stdout.trim();
  assert.equal(trial.run("store", "--delete", drv).code, 1);
  assert.ok(existsSync(drv));
  const deleted = trial.run("store", "--delete", drv, "--option", "keep-derivations", "false");
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.deepEqual([existsSync(drv), existsSync(output)], [false, true]);
});
