import assert from "node:assert/strict";
import { cpSync, lutimesSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runTsos, type TsosResult } from "../../../cli/tsos-process.ts";
import { makeTar, openTrial, serve } from "../../fetch/source/trial.ts";

// `expected.lock` and `expected.json` are what Nix 2.34.8 made of `data`, with its folder written as @ROOT@.
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "tsos-flake-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, "data");
cpSync(join(here, "data"), root, { recursive: true });
writeFileSync(
  join(root, "registry.json"),
  JSON.stringify({
    version: 2,
    flakes: ["a", "b", "c", "d", "n", "many"].map((id) => ({ from: { type: "indirect", id }, to: { type: "path", path: `${root}/${id}`, ...(id === "many" ? { dir: "sub" } : {}) } })),
  }),
);
touchAll(root);

/** Times are part of what is locked. */
function touchAll(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) lutimesSync(join(entry.parentPath, entry.name), 1_600_000_000, 1_600_000_000);
  lutimesSync(path, 1_600_000_000, 1_600_000_000);
}

function nix(...args: readonly string[]): Promise<TsosResult> {
  mkdirSync(join(folder, "home"), { recursive: true });
  const config = `experimental-features = nix-command flakes\nflake-registry = ${root}/registry.json\nwarn-dirty = false`;
  return runTsos(["nix", ...args, "--store", join(folder, "store")], { cwd: folder, stateFolder: folder, env: { HOME: join(folder, "home"), NIX_CONFIG: config, GIT_CONFIG_GLOBAL: "/dev/null" } });
}

async function value(expression: string, ...flags: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await nix("eval", "--json", "--expr", expression, ...flags);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

async function failure(expression: string, ...flags: readonly string[]): Promise<string> {
  const { code, stderr } = await nix("eval", "--json", "--expr", expression, ...flags);
  assert.notEqual(code, 0);
  return stderr.trim().split("\n").at(-1)!.trim().replace(/^error: /, "");
}

test("a flake's inputs are locked as the reference locks them, to the byte, and its outputs are the same", async () => {
  const { code, stdout, stderr } = await nix("eval", "--json", `path:${root}/top#v`);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), ["a", "cabann", "dbacabann", "dbacabann", "innerdeepa", "inside"]);
  assert.equal(stderr.replaceAll(root, "@ROOT@"), readFileSync(join(here, "expected.stderr"), "utf8"));
  const lock = readFileSync(join(root, "top/flake.lock"), "utf8");
  assert.equal(lock.replaceAll(root, "@ROOT@"), readFileSync(join(here, "expected.lock"), "utf8"));
  touchAll(join(root, "top"));
  const found = await value(`let f = builtins.getFlake "path:${root}/top"; in { inherit (f) v names inner same date type; attributes = builtins.attrNames f; inputs = builtins.mapAttrs (_: i: builtins.attrNames i) f.inputs; }`, "--impure");
  assert.deepEqual(found, JSON.parse(readFileSync(join(here, "expected.json"), "utf8")));
  assert.equal((await nix("eval", "--json", `path:${root}/top#v`)).stderr, "", "what is locked stays");
  assert.equal(readFileSync(join(root, "top/flake.lock"), "utf8"), lock);
});

test("only inputs whose reference changed are locked anew", async () => {
  const flake = join(folder, "own");
  mkdirSync(flake);
  const write = (inputs: string): void => writeFileSync(join(flake, "flake.nix"), `{ ${inputs} outputs = { self, ... }@inputs: { v = builtins.mapAttrs (_: i: i.v or "tree") (removeAttrs inputs [ "self" ]); }; }`);
  const lock = (): Record<string, { readonly locked?: { readonly narHash: string } }> => (JSON.parse(readFileSync(join(flake, "flake.lock"), "utf8")) as { nodes: Record<string, { locked?: { narHash: string } }> }).nodes;
  const evaluate = async (): Promise<unknown> => JSON.parse((await nix("eval", "--json", `path:${flake}#v`)).stdout);
  write('inputs.a.url = "flake:a";');
  assert.deepEqual(await evaluate(), { a: "a" });
  const before = lock()["a"]!.locked!.narHash;
  writeFileSync(join(root, "a/more"), "");
  write('inputs.a.url = "flake:a"; inputs.n = { url = "flake:n"; flake = false; };');
  assert.deepEqual(await evaluate(), { a: "a", n: "tree" });
  assert.equal(lock()["a"]!.locked!.narHash, before);
  write('inputs.n = { url = "flake:n"; flake = false; };');
  assert.deepEqual(await evaluate(), { n: "tree" });
  assert.deepEqual(Object.keys(lock()), ["n", "root"]);
  write('inputs.a.follows = "b";');
  assert.match((await nix("eval", "--json", `path:${flake}#v`)).stderr, /input 'a' follows a non-existent input 'b'/);
});

test("sources are fetched with the store paths of the reference, and no others in pure mode", async () => {
  using trial = openTrial();
  const repository = trial.repository("r", { a: "hi\n", ".gitattributes": "no export-ignore\n", no: "" });
  const rev = trial.git(repository, "rev-parse", "HEAD");
  assert.deepEqual(await value(`builtins.attrNames (builtins.readDir (builtins.fetchGit { url = "file://${repository}"; rev = "${rev}"; }))`), [".gitattributes", "a"]);
  assert.deepEqual(await value(`builtins.attrNames (builtins.fetchTree { type = "git"; url = "file://${repository}"; rev = "${rev}"; })`), ["lastModified", "lastModifiedDate", "narHash", "outPath", "rev", "shortRev", "submodules"]);
  assert.equal(await value(`(builtins.fetchGit "file://${repository}").revCount`, "--impure"), 1);
  assert.equal(await failure(`builtins.fetchTree { type = "git"; url = "file://${repository}"; ref = "main"; }`), `in pure evaluation mode, 'fetchTree' doesn't fetch unlocked input 'git+file://${repository}?ref=main&shallow=1'`);
  assert.equal(await failure('builtins.fetchTarball "file:///x.tar.gz"'), "in pure evaluation mode, 'fetchTarball' requires a 'sha256' argument");
  assert.equal(await failure(`builtins.getFlake "path:${root}/a"`), `cannot call 'getFlake' on unlocked flake reference 'path:${root}/a', at «none»:0 (use --impure to override)`);
  assert.equal(await failure('builtins.fetchurl { ur = "x"; }'), "unsupported argument 'ur' to 'fetchurl'");

  const body = await makeTar([{ name: "top/f", contents: "1" }]);
  await using server = await serve(() => ({ body }));
  assert.equal(await value(`builtins.readFile "\${builtins.fetchTarball "${server.url}/a.tar.gz"}/f"`, "--impure"), "1");
  assert.match(await failure(`builtins.fetchurl { url = "${server.url}/a"; sha256 = "${"0".repeat(52)}"; }`), /^got: {7}sha256:[0-9a-z]{52}$/);
});

test("what a restricted evaluation may fetch is what its settings allow", async () => {
  assert.equal(await failure('builtins.fetchTarball "https://h.example/x.tar.gz"', "--impure", "--restrict-eval"), "access to URI 'https://h.example/x.tar.gz' is forbidden in restricted mode");
  await using server = await serve(() => ({ body: "hi" }));
  const allowed = await value(`builtins.readFile (builtins.fetchurl "${server.url}/x")`, "--impure", "--restrict-eval", "--option", "allowed-uris", server.url);
  assert.equal(allowed, "hi");
  assert.match(await failure(`builtins.fetchurl "${server.url}/x"`, "--impure", "--restrict-eval", "--option", "allowed-uris", server.url.slice(0, -1)), /is forbidden in restricted mode$/);
});

test("the search path may name a flake of a registry, and a command an attribute of a flake", async () => {
  const { stdout } = await nix("instantiate", "--eval", "-E", "builtins.readFile <x/f>", "-I", "x=flake:n");
  assert.equal(stdout, '"nn"\n');
  const flake = join(folder, "derivation");
  mkdirSync(flake);
  writeFileSync(join(flake, "flake.nix"), '{ outputs = { self }: { one = derivation { name = "one"; system = "x86_64-linux"; builder = "/bin/sh"; }; }; }');
  const { stdout: none, stderr } = await nix("build", "--dry-run", `path:${flake}#one`);
  assert.equal(none, "");
  assert.match(stderr, /^this derivation will be built:\n {2}\/nix\/store\/[a-z0-9]{32}-one\.drv\n$/);
  assert.match((await nix("eval", `path:${flake}#two`)).stderr, /^error: flake 'path:[^']*' does not provide attribute 'packages\.[^']*\.two', 'legacyPackages\.[^']*\.two' or 'two'$/m);
});

test("references to flakes and their attributes stand for each other", async () => {
  assert.deepEqual(await value('builtins.parseFlakeRef "github:a/b/main?dir=lib"'), { dir: "lib", owner: "a", ref: "main", repo: "b", type: "github" });
  assert.deepEqual(await value('builtins.parseFlakeRef "nixpkgs/main"'), { id: "nixpkgs", ref: "main", type: "indirect" });
  assert.equal(await value('builtins.flakeRefToString { type = "git"; url = "ssh://git@h.example/a"; submodules = true; dir = "a b"; }'), "git+ssh://git@h.example/a?dir=a%20b&submodules=1");
  assert.equal(await failure('builtins.parseFlakeRef "./x"'), "flake reference './x' is not an absolute path");
  assert.equal(await failure('builtins.parseFlakeRef "x#y"'), "unexpected fragment 'y' in flake reference 'x#y'");
});
