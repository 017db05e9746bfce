import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { noReference, shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const file = join(trial.folder, "file.txt");
writeFileSync(file, "hello");

test("hashes files and spells hashes in other ways", () => {
  const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  assert.equal(trial.run("hash", "--flat", "--type", "sha256", file).stdout, `${sha256}\n`);
  assert.equal(trial.run("hash", "--to-sri", "--type", "sha256", sha256).stdout, "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\n");
  assert.equal(trial.run("hash", "--to-base16", "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=").stdout, `${sha256}\n`);
  assert.equal(trial.run("hash", "--to-base32", "no-hash").code, 1);
  assert.equal(trial.run("hash", "--type", "crc", file).code, 1);
});

test("fetches a file into the store", () => {
  const result = trial.run("prefetch-url", `file://${file}`, "--print-path");
  const [hash, path] = result.stdout.trim().split("\n") as [string, string];
  assert.equal(hash, trial.run("hash", "--flat", "--type", "sha256", "--base32", file).stdout.trim());
  assert.equal(trial.run("store", "--print-fixed-path", "sha256", hash, "file.txt").stdout, `${path}\n`);
  assert.equal(trial.run("store", "--check-validity", path).code, 0);
  assert.equal(trial.run("prefetch-url", `file://${file}`, "0".repeat(52)).code, 1);
});

test("every query answers as the machine's own Nix does, in the same order", { skip: noReference }, () => {
  writeFileSync(
    join(trial.folder, "default.nix"),
    `let lib = ${shellDerivation("lib", "echo lib > $out")}; mid = derivation { name = "mid"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo \${lib} > $out" ]; };
     in derivation { name = "top"; system = "x86_64-linux"; builder = "/bin/sh"; src = ./file.txt; args = [ "-c" "echo \${lib} \${mid} > $out" ]; }`,
  );
  const out = trial.run("build").stdout.trim();
  const drv = trial.run("instantiate").stdout.trim();
  for (const args of [
    ["-q", drv], ["-qR", drv], ["-qR", out], ["-q", "--references", drv], ["-q", "--referrers", `${out}`], ["-q", "--deriver", out], ["-q", "--binding", "name", drv], ["-q", "--hash", out], ["-q", "--size", out],
    ["-q", "--tree", out], ["-q", "--tree", drv], ["-q", "--roots", out], ["-q", "--resolve", "result"], ["-q", "--include-outputs", "-R", drv], ["-l", out], ["--gc", "--print-live"],
    ["--gc", "--print-dead"], ["-r", drv], ["-r", `${drv}!out`, "--dry-run"], ["--verify-path", out], ["--add", file], ["--add-fixed", "--recursive", "sha1", file], ["-q", "--no-such-query", out], ["--check-validity", `${trial.env["NIX_STORE_DIR"]!}/${"0".repeat(32)}-x`],
  ]) {
    const [ours, theirs] = [trial.run("store", ...args), trial.reference("nix-store", ...args)];
    assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout], `nix-store ${args.join(" ")}\n${ours.stderr}`);
  }
});

test("prints the environment of a derivation for a shell to read", () => {
  const drv = trial.run("instantiate", "-E", 'derivation { name = "n"; system = "x"; builder = "/b"; args = [ "a" "b c" ]; text = "it\'s"; }').stdout.trim();
  const lines = trial.run("store", "--print-env", drv).stdout.trim().split("\n");
  assert.deepEqual([lines.at(-2), lines.at(-1)], ["export text; text='it'\\''s'", "export _args; _args='a b c'"]);
});

test("an archive that is dumped is restored", () => {
  mkdirSync(join(trial.folder, "tree"));
  writeFileSync(join(trial.folder, "tree/a"), "a");
  const { status } = spawnSync("sh", ["-c", '"$0" "$1" nix store --dump tree | "$0" "$1" nix store --restore copy && diff -r tree copy', process.execPath, join(import.meta.dirname, "../../../bin/tsos.js")], { cwd: trial.folder, env: trial.env });
  assert.equal(status, 0);
});
