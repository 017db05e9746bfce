import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const other = join(trial.folder, "evaluations");
const evaluated = (name: string): boolean => existsSync(join(other, "nix/store", name));
const built = (): readonly string[] => (existsSync(trial.env["NIX_STORE_DIR"]!) ? readdirSync(trial.env["NIX_STORE_DIR"]!) : []);

test("an evaluation writes to the store of --eval-store", () => {
  const { code, stdout, stderr } = trial.run("instantiate", "--eval-store", other, "-E", shellDerivation("written", "echo > $out"));
  assert.equal(code, 0, stderr);
  assert.ok(evaluated(stdout.trim().split("/").at(-1)!), stdout);
  assert.deepEqual(built().filter((name) => name.includes("written")), []);
});

test("what --eval-store has is built in the other store", () => {
  writeFileSync(join(trial.folder, "source"), "a source\n");
  const inner = shellDerivation("inner", "read x < $source; echo inner $x > $out", "source = ./source;");
  const { code, stdout, stderr } = trial.run("build", "--no-out-link", "--eval-store", other, "-E", shellDerivation("outer", "read x < $inner; echo outer $x > $out", `inner = ${inner};`));
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(stdout.trim(), "utf8"), "outer inner a source\n");
  assert.ok(!evaluated(stdout.trim().split("/").at(-1)!));
});

test("what is imported from a derivation is built in the one store and read in the other", () => {
  const { code, stdout, stderr } = trial.run("instantiate", "--eval", "--read-write-mode", "--eval-store", other, "-E", `import (${shellDerivation("imported", 'echo "{ a = 1; }" > $out')})`);
  assert.deepEqual([code, stdout], [0, "{ a = 1; }\n"], stderr);
});

test("the store dummy:// serves evaluations and takes nothing", () => {
  const drv = shellDerivation("nowhere", "echo > $out");
  assert.equal(trial.run("instantiate", "--store", "dummy://", "--eval", "-E", `(${drv}).drvPath`).stdout, trial.run("instantiate", "--eval", "-E", `(${drv}).drvPath`).stdout);
  assert.deepEqual(trial.run("instantiate", "--store", "dummy://", "--eval", "-E", 'builtins.pathExists (builtins.storeDir + "/8a14z06hc6rzygqdnjay8scxyxjbbgf2-n")').stdout, "false\n");
  const refused = trial.run("instantiate", "--store", "dummy://", "-E", drv);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /error: operation 'writeDerivation' is not supported by store 'dummy:\/\/'/);
});
