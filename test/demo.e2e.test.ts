import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const tsos = (...args: string[]): string => execFileSync(process.execPath, ["bin/tsos.js", ...args], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();

const needsRoot = process.getuid?.() === 0 ? false : "machines are started by root";
const needsNix = needsRoot || (spawnSync("nix-store", ["--version"]).status === 0 ? false : "nix-store is not installed");

test("the demo builds, boots, switches and rolls back a machine", { skip: needsRoot }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/demo.js"], { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /^see the first page again .*port 80: It runs\.; sshd active$/m);
  console.log(stdout);
});

test("Nix reads the demo's store, finds nothing wrong in its machine and gives the same closure", { skip: needsNix }, () => {
  const toplevel = tsos("build", "--no-link", "--no-check", "-c", "templates/server/system.config.ts");
  const closure = tsos("store", "closure", toplevel).split("\n").sort();
  const nixStore = (...args: string[]): string => execFileSync("nix-store", args, { encoding: "utf8" }).trim();
  assert.deepEqual(nixStore("--query", "--requisites", toplevel).split("\n").sort(), closure);
  nixStore("--verify-path", ...closure);
  assert.equal(nixStore("--query", "--deriver", toplevel), tsos("eval", "--drv", "-c", "templates/server/system.config.ts"));
});
