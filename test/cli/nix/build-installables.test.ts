import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const file = join(trial.folder, "packages.nix");
writeFileSync(
  file,
  `rec {
    a = ${shellDerivation("a", "echo a > $out; echo dev > $dev; echo doc > $doc", 'outputs = [ "out" "dev" "doc" ];')};
    chosen = a // { meta.outputsToInstall = [ "dev" "out" ]; };
    b = ${shellDerivation("b", "echo b > $out")};
    fails = ${shellDerivation("fails", "echo told; exit 3")};
    text = "\${a.dev}";
    source = ./packages.nix;
    set = { inherit b; };
  }`,
);
const build = (...args: readonly string[]): { readonly code: number | null; readonly paths: string[]; readonly stderr: string } => {
  const { code, stdout, stderr } = trial.run("build", "-f", file, "--no-link", "--print-out-paths", ...args);
  return { code, paths: stdout.trim().split("\n"), stderr };
};
const contents = (paths: readonly string[]): string[] => paths.map((path) => readFileSync(path, "utf8"));

test("builds the outputs that are named, all, those to be installed, or the one that was selected", () => {
  assert.deepEqual(contents(build("a", "b").paths), ["dev\n", "doc\n", "a\n", "b\n"]);
  assert.deepEqual(contents(build("chosen").paths), ["dev\n", "a\n"]);
  assert.deepEqual(contents(build("a^doc,out").paths), ["doc\n", "a\n"]);
  assert.deepEqual(contents(build("chosen^*").paths), ["dev\n", "doc\n", "a\n"]);
  assert.deepEqual(contents(build("text").paths), ["dev\n"]);
  assert.deepEqual(contents(build("set").paths), ["b\n"]);
  assert.match(build("source").paths[0]!, /-source$/);
});

test("tells as JSON what was built and what would be", () => {
  const { stdout } = trial.run("build", "-f", file, "--no-link", "--json", "a^dev", "b");
  const [a, b] = JSON.parse(stdout) as { readonly drvPath: string; readonly outputs: Record<string, string> }[];
  assert.deepEqual(Object.keys(a!.outputs), ["dev"]);
  assert.match(a!.drvPath, /-a\.drv$/);
  assert.deepEqual(contents(Object.values(b!.outputs)), ["b\n"]);
  const dry = trial.run("build", "--impure", "--dry-run", "--json", "--expr", shellDerivation("never", "echo 1 > $out"));
  const [planned] = JSON.parse(dry.stdout) as { readonly outputs: { readonly out: string } }[];
  assert.equal(existsSync(planned!.outputs.out), false);
  assert.match(dry.stderr, /^this derivation will be built:\n {2}\S+-never\.drv\n$/);
});

test("makes a link for each output of each thing that was asked for, numbered from 1", () => {
  const { code, stdout } = trial.run("build", "-f", file, "-o", "link", "a^out,dev", "b");
  assert.deepEqual([code, stdout], [0, ""]);
  const links = readdirSync(trial.folder).filter((name) => name.startsWith("link")).sort();
  assert.deepEqual(links, ["link", "link-1", "link-dev"]);
  assert.deepEqual(contents(links.map((name) => readlinkSync(join(trial.folder, name)))), ["a\n", "b\n", "dev\n"]);
  for (const name of links) rmSync(join(trial.folder, name));
});

test("takes paths of the store and of derivations in it", () => {
  const [path] = build("b").paths;
  const drv = trial.run("instantiate", file, "-A", "a").stdout.trim();
  const { code, stdout, stderr } = trial.run("build", "--no-link", "--print-out-paths", `${drv}^dev`, path!);
  assert.equal(code, 0, stderr);
  assert.deepEqual(contents(stdout.trim().split("\n")), ["dev\n", "b\n"]);
  const plain = trial.run("build", "--no-link", "--print-out-paths", drv);
  assert.deepEqual(plain.stdout, `${drv}\n`);
  assert.match(plain.stderr, /recently changed.*\.drv\^\*'/);
  rmSync(path!);
});

test("a build that fails ends with 1, an output that is not there and a text without a path are told", () => {
  const failed = build("-L", "fails");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^fails> told$/m);
  assert.match(failed.stderr, /^error: Cannot build '.*-fails.drv'\.$/m);
  assert.match(build("a^nope").stderr, /error: derivation '.*-a\.drv' does not have output 'nope'/);
  assert.match(trial.run("build", "--json", "--expr", '"a"').stderr, /error: string 'a' has 0 entries in its context\. It should only have exactly one entry/);
});
