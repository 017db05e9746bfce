import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());

test("--commit-lock-file commits the lock file, and nothing else, with what changed", () => {
  const [input, flake] = [join(trial.folder, "input"), join(trial.folder, "flake")];
  mkdirSync(input);
  mkdirSync(flake);
  writeFileSync(join(input, "flake.nix"), "{ outputs = _: { a = 1; }; }");
  writeFileSync(join(flake, "flake.nix"), `{ inputs.g.url = "path:${input}"; outputs = { self, g }: { inherit (g) a; }; }`);
  const git = (...args: readonly string[]): string => execFileSync("git", ["-C", flake, "-c", "user.name=n", "-c", "user.email=a@b", ...args], { encoding: "utf8" });
  git("init", "-q");
  git("config", "user.name", "n");
  git("config", "user.email", "a@b");
  git("add", ".");
  git("commit", "-q", "-m", "first");
  const { code, stdout, stderr } = trial.runWith({ env: { NIX_CONFIG: `${trial.env["NIX_CONFIG"]}\nexperimental-features = nix-command flakes` } }, "eval", "--commit-lock-file", `${flake}#a`);
  assert.deepEqual([code, stdout], [0, "1\n"], stderr);
  assert.match(git("log", "-1", "--format=%B"), /^flake\.lock: Add\n\nFlake lock file updates:\n\n• Added input 'g':\n {4}'path:.*\n+$/);
  assert.equal(git("show", "--name-only", "--format=", "HEAD"), "flake.lock\n");
  assert.match(stderr, new RegExp(`warning: committed new revision '${git("rev-parse", "HEAD").trim()}'`));
});
