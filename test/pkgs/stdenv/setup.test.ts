import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

const setup = join(import.meta.dirname, "../../../pkgs/stdenv/setup.sh");

/** Runs setup.sh in a folder of its own with the machine's tools, as a build without a compiler. */
function build(t: TestContext, attributes: string, outputs: readonly string[] = ["out"]): { readonly status: number | null; readonly log: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "tsos-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "build"));
  const list = outputs.map((output) => `[${output}]=${folder}/store/x-${output}`).join(" ");
  writeFileSync(join(folder, "attrs.sh"), `declare -A outputs=(${list})\ndeclare name=x\ndeclare -a initialInputs=(/usr)\n${attributes}\n`);
  const { status, stdout, stderr } = spawnSync("bash", ["-e", setup], {
    cwd: join(folder, "build"),
    encoding: "utf8",
    env: {
      PATH: process.env["PATH"],
      NIX_BUILD_TOP: join(folder, "build"),
      TMPDIR: join(folder, "build"),
      NIX_STORE: join(folder, "store"),
      NIX_BUILD_CORES: "2",
      NIX_ATTRS_SH_FILE: join(folder, "attrs.sh"),
    },
  });
  return { status, log: stdout + stderr, folder };
}

test("runs phases in order, each between its hooks, attributes in place of functions", (t) => {
  const { status, folder, log } = build(
    t,
    `declare -a phases=(buildPhase installPhase)
     declare preBuild='echo pre >> log' buildPhase='runHook preBuild; echo build >> log; runHook postBuild' postBuild='echo post >> log'
     declare installPhase='mkdir -p $out; cp log $out/'`,
  );
  assert.equal(status, 0, log);
  assert.equal(readFileSync(join(folder, "store/x-out/log"), "utf8"), "pre\nbuild\npost\n");
});

test("a failing phase is named and ends the build", (t) => {
  const { status, log } = build(t, `declare -a phases=(buildPhase installPhase)\ndeclare buildPhase='false' installPhase='echo never'`);
  assert.notEqual(status, 0);
  assert.match(log, /error: buildPhase failed with exit code 1/);
  assert.doesNotMatch(log, /never/);
});

test("keeps blanks in the elements of a list", (t) => {
  const { status, folder, log } = build(
    t,
    `declare -a makeFlags=('CFLAGS=-O2 -g' 'A=b')
     declare buildFlags='C=d E=f' buildCommand='wordsOf makeFlags buildFlags none; mkdir -p $out; printf "<%s>" "\${words[@]}" > $out/words'`,
  );
  assert.equal(status, 0, log);
  assert.equal(readFileSync(join(folder, "store/x-out/words"), "utf8"), "<CFLAGS=-O2 -g><A=b><C=d><E=f>");
});

test("moves headers to dev, leads from there to the library, and leaves libtool's files out", (t) => {
  const { status, folder, log } = build(
    t,
    `declare -a phases=(installPhase fixupPhase) propagatedBuildInputs=(/some/input)
     declare installPhase='mkdir -p $out/lib $out/include; touch $out/lib/libx.la $out/lib/libx.so $out/include/x.h'`,
    ["out", "dev"],
  );
  assert.equal(status, 0, log);
  const find = spawnSync("find", ["-type", "f"], { cwd: join(folder, "store"), encoding: "utf8" }).stdout.trim().split("\n").sort();
  assert.deepEqual(find, ["./x-dev/include/x.h", "./x-dev/nix-support/propagated-build-inputs", "./x-out/lib/libx.so"]);
  assert.equal(readFileSync(join(folder, "store/x-dev/nix-support/propagated-build-inputs"), "utf8"), `/some/input\n${folder}/store/x-out\n`);
});

test("a script whose interpreter no input holds fails the build and is named", (t) => {
  const { status, log } = build(
    t,
    `declare -a phases=(installPhase fixupPhase)
     declare installPhase='mkdir -p $out/bin; printf "#!/usr/bin/env no-such-thing\\n" > $out/bin/run; chmod +x $out/bin/run'`,
  );
  assert.notEqual(status, 0);
  assert.match(log, /x-out\/bin\/run wants no-such-thing, which no input holds/);
});

test("an output that the build did not make fails it", (t) => {
  const { status, log } = build(t, `declare -a phases=(installPhase fixupPhase)\ndeclare installPhase='mkdir -p $out'`, ["out", "lib"]);
  assert.notEqual(status, 0);
  assert.match(log, /made no output "lib"/);
});
