import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { runTsos } from "../tsos-process.ts";

/** What the reference implementation (2.34.8) makes of the same file. */
const REFERENCE = {
  root: "4bx29i7vsa6355bv4yhlhnglf6k1jhdv-root",
  dev: "048zjx6zfyzg8nf7b5knsj8c3gplv2vk-root-dev",
  middle: "h2blly54j0lnd82fldixvwdb3ym2llgp-middle",
  leaf: "wp7l44w82g0qlclkkhhhvyi18hy27dlv-leaf",
  twin: "wp7l44w82g0qlclkkhhhvyi18hy27dlv-leaf",
  flat: "ca1y6c916z1ck1dxi4rcrsfs9rzp728w-flat",
  sha512: "a713gdsi992f5ii0gskfbn5fi6g5840y-sha512",
  structured: "l0nhlfl5p2ra8lvkqdqk94zabxzfpyg6-structured",
  placeholder: "xsjh74hrc0xpzlg74xb5hv7vdiyczdyv-placeholder",
  fixed: "5wzrkadqlz2xk5c9kz6bx7a9zf7z82ha-fixed",
} as const;

const skip = spawnSync("busybox", ["true"]).status === 0 ? false : "there is no busybox for /bin/sh of builds";

test("floating outputs have the paths that the reference gives them", { skip, timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-floating-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const attributes = Object.keys(REFERENCE).flatMap((name) => ["-A", name]);
  const build = (...more: readonly string[]) => {
    const args = ["nix", "build", join(import.meta.dirname, "content-addressed.nix"), "--no-out-link", "--store", join(folder, "store"), ...attributes, ...more];
    return runTsos(args, { cwd: folder, stateFolder: folder, env: { NIX_CONFIG: "substituters =", NIX_REMOTE: undefined } });
  };
  const refused = await build();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /experimental Nix feature 'ca-derivations' is disabled/);
  const feature = ["--extra-experimental-features", "ca-derivations"];
  const first = await build(...feature);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(first.stdout.trim().split("\n"), Object.values(REFERENCE).map((name) => `/nix/store/${name}`));
  const second = await build(...feature);
  assert.equal(second.stdout, first.stdout);
  assert.doesNotMatch(second.stderr, /building/);
});

/** The same, of the file whose derivations make derivations. */
const MADE = {
  user: "8mr8myj3wzykxp2sivvqrhkq28g79asv-user",
  floatingUser: "za969hykq826v0s4nfai89hvysbbp0lp-floating-user",
  userOfUser: "qgkzwdv0pxr9iikyahf82zn23lvn8i2l-user-of-user",
  deep: "vciaqw7hb0gckpfw2pqdwcq4jagcxz3c-deep",
} as const;

test("derivations that others make are built, and what uses them has the paths that the reference gives it", { skip, timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-dynamic-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const build = () => {
    const args = ["nix", "build", join(import.meta.dirname, "dynamic-derivations.nix"), "--no-out-link", "--store", join(folder, "store"), "--extra-experimental-features", "ca-derivations dynamic-derivations"];
    return runTsos([...args, ...Object.keys(MADE).flatMap((name) => ["-A", name])], { cwd: folder, stateFolder: folder, env: { NIX_CONFIG: "substituters =", NIX_REMOTE: undefined } });
  };
  const first = await build();
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(first.stdout.trim().split("\n"), Object.values(MADE).map((name) => `/nix/store/${name}`));
  assert.equal(readFileSync(join(folder, "store/nix/store", MADE.deep), "utf8"), "made here\n");
  // They are remembered by the derivations that use them, too.
  const second = await build();
  assert.equal(second.stdout, first.stdout);
  assert.doesNotMatch(second.stderr, /resolved|building/);
});
