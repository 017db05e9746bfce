import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { hasProgram } from "../../core/store/has-program.ts";
import { runTsos, tsosProgram } from "../tsos-process.ts";

const noShell = spawnSync("busybox", ["true"]).status === 0 ? false : "there is no busybox for /bin/sh of builds";
const noNix = noShell !== false ? noShell : hasProgram("nix-daemon") ? false : "nix is not installed";
const busybox = spawnSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).stdout.trim();

/** Two machines of which one reaches the other by what stands in place of ssh: it runs here what would run there. */
function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "tsos-builders-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const far = join(folder, "far");
  for (const name of ["near", "far", "bin", "conf"]) mkdirSync(join(folder, name));
  const ssh = join(folder, "bin/ssh");
  writeFileSync(ssh, `#!/bin/sh\nfor last; do :; done\nexport NIX_REMOTE='local?root=${far}' NIX_CONF_DIR=${folder}/conf HOME=${far}\nexec sh -c "$last"\n`);
  chmodSync(ssh, 0o755);
  // Of the far machine alone.
  writeFileSync(join(folder, "conf/nix.conf"), `sandbox = true\nsandbox-paths = /bin/sh=${busybox}\nbuild-users-group =\nsubstituters =\nexperimental-features = ca-derivations\n`);
  writeFileSync(join(folder, "thing.nix"), `
    let make = a: derivation ({ system = builtins.currentSystem; builder = "/bin/sh"; } // a);
        input = make { name = "input"; args = [ "-c" "echo one > $out" ]; };
    in {
      good = make { name = "good"; outputs = [ "out" "dev" ]; args = [ "-c" "echo making it; read x < \${input}; echo $x \${input} > $out; echo $out > $dev" ]; };
      floating = let float = a: make (a // { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; });
        one = float { name = "one"; args = [ "-c" "echo one > $out" ]; };
        two = float { name = "two"; outputs = [ "out" "dev" ]; args = [ "-c" "read x < \${one}; echo $x $out > $out; echo $out > $dev" ]; };
      in make { name = "leaf"; args = [ "-c" "read x < \${two.dev}; echo $x > $out" ]; };
      bad = make { name = "bad"; args = [ "-c" "echo it breaks; exit 4" ]; };
    }`);
  const build = (url: string, attribute: string) =>
    runTsos(["nix", "build", join(folder, "thing.nix"), "-A", attribute, "--no-out-link", "--store", join(folder, "near"), "-j0", "--builders", `${url} - - 1 1 ca-derivations`, "--extra-experimental-features", "ca-derivations"], {
      cwd: folder,
      stateFolder: folder,
      env: { NIX_CONFIG: "substituters =", NIX_REMOTE: undefined, TSOS_SSH: ssh, NIX_CONF_DIR: join(folder, "none") },
    });
  return { folder, far, ssh, build };
}

/** What a far end is asked by. */
const FAR_ENDS = {
  "the reference's daemon": { url: "ssh-ng://there", skip: noNix },
  "the reference's nix-store --serve": { url: "ssh://there", skip: noNix },
  "tsos's daemon": { url: `ssh-ng://there?remote-program=${process.execPath}%20${tsosProgram}%20daemon%20--store%20/FAR`, skip: noShell },
  "tsos's nix store --serve": { url: `ssh://there?remote-program=${process.execPath}%20${tsosProgram}%20nix%20store`, skip: noShell },
} as const;

describe("a build that another machine makes", { timeout: 240_000 }, () => {
  for (const [name, { url, skip }] of Object.entries(FAR_ENDS)) {
    test(`comes back from ${name}`, { skip }, async (t) => {
      const { folder, far, build } = setUp(t);
      const there = url.replace("/FAR", far);
      const { code, stdout, stderr } = await build(there, "good");
      assert.equal(code, 0, stderr);
      const out = stdout.trim();
      assert.match(readFileSync(join(folder, "near", out), "utf8"), /^one \/nix\/store\/[^ ]+-input\n$/);
      assert.equal(existsSync(join(far, out)), true, "it was built there");
      const verified = await runTsos(["nix", "store", "--verify", "--check-contents", "--store", join(folder, "near")], { cwd: folder, stateFolder: folder });
      assert.equal(verified.code, 0, verified.stderr);
      const leaf = await build(there, "floating");
      assert.equal(leaf.code, 0, leaf.stderr);
      const two = readFileSync(join(folder, "near", leaf.stdout.trim()), "utf8").trim();
      assert.equal(readFileSync(join(folder, "near", two), "utf8"), `one ${two}\n`);
      assert.equal(existsSync(join(far, leaf.stdout.trim())), true, "they were built there");
      const again = await build(there, "floating");
      assert.equal(again.stdout, leaf.stdout);
      assert.doesNotMatch(again.stderr, /building/);
      const failed = await build(there, "bad");
      assert.notEqual(failed.code, 0);
      assert.match(failed.stderr, /exit code 4/);
    });
  }

  test("is made by what is served here, for the reference", { skip: noNix }, (t) => {
    const { folder, far, ssh } = setUp(t);
    const near = join(folder, "near");
    for (const [at, program] of [`ssh://there?remote-program=${join(folder, "bin/served")}`, `ssh-ng://there?remote-program=${join(folder, "bin/daemon")}`].entries()) {
      writeFileSync(join(folder, "bin/served"), `#!/bin/sh\nexec ${process.execPath} ${tsosProgram} nix store "$@"\n`, { mode: 0o755 });
      writeFileSync(join(folder, "bin/daemon"), `#!/bin/sh\nexec ${process.execPath} ${tsosProgram} daemon --store ${far} "$@"\n`, { mode: 0o755 });
      writeFileSync(join(folder, `own-${at}.nix`), `derivation { name = "own-${at}"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo made elsewhere > $out" ]; }`);
      const { status, stdout, stderr } = spawnSync("nix-build", [join(folder, `own-${at}.nix`), "--no-out-link", "--store", near, "-j0", "--builders", `${program} - - 1 1`], {
        cwd: folder,
        encoding: "utf8",
        env: { PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder, NIX_CONFIG: "substituters =\nbuild-users-group =", NIX_CONF_DIR: join(folder, "none"), TSOS_CACHE_DIR: folder, TSOS_STATE_DIR: folder },
        timeout: 100_000,
      });
      assert.equal(status, 0, `${program} by ${ssh}: ${stderr}`);
      assert.equal(readFileSync(join(near, stdout.trim()), "utf8"), "made elsewhere\n");
      assert.equal(existsSync(join(far, stdout.trim())), true);
    }
  });
});
