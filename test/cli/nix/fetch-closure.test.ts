import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { loadFetchSettings } from "../../../core/fetch/load-fetch-settings.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { parseStorePath } from "../../../core/store-path/store-path.ts";
import { shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const cache = join(trial.folder, "binary-cache");
/** Two stores of one folder's name: one that fills the cache and one that takes from it. */
const first = { NIX_REMOTE: `local?root=${join(trial.folder, "first")}`, NIX_STORE_DIR: "/nix/store" };
const second = { NIX_REMOTE: `local?root=${join(trial.folder, "second")}`, NIX_STORE_DIR: "/nix/store" };

const dep = shellDerivation("dep", "echo dep > $out");
const top = `derivation { name = "top"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo \${${dep}} > $out" ]; }`;
const base = shellDerivation("fc-dep", "echo dep > $out");
const own = `derivation { name = "fc-top"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo self $out dep \${${base}} > $out" ]; }`;
const filled = (async () => {
  const built = trial.runWith({ env: first }, "build", "--no-out-link", "-E", top, own);
  const text = trial.runWith({ env: first }, "instantiate", "--eval", "--raw", "--read-write-mode", "-E", 'builtins.toFile "text" "hello"').stdout;
  const paths = [...built.stdout.trim().split("\n"), text] as [string, string, string];
  assert.equal(paths.length, 3, built.stderr);
  await using store = await openLocalStore({ root: join(trial.folder, "first") });
  const to = await openBinaryCache(`file://${cache}`, { settings: await loadFetchSettings({ env: {} }), environment: {} });
  await copyPaths(store, to, paths.map((path) => parseStorePath(path, "/nix/store")));
  return { top: paths[0], own: paths[1], text };
})();

const fetchClosure = (attributes: string, ...args: string[]) =>
  trial.runWith({ env: { ...second, _NIX_IN_TEST: "1" } }, "instantiate", "--eval", "--read-write-mode", "--extra-experimental-features", "fetch-closure", ...args, "-E", `builtins.fetchClosure { fromStore = "file://${cache}"; ${attributes} }`);
const lastLine = (text: string): string => text.trim().split("\n").at(-1)!.trim();

test("fetchClosure is there with its feature only", () => {
  assert.equal(trial.run("instantiate", "--eval", "-E", "builtins ? fetchClosure").stdout, "false\n");
});

test("fetchClosure takes a content-addressed path as it is", async () => {
  const { text } = await filled;
  const result = fetchClosure(`fromPath = ${text};`);
  assert.equal(result.stdout, `"${text}"\n`, result.stderr);
  assert.equal(readFileSync(join(trial.folder, "second", text), "utf8"), "hello");
  assert.match(fetchClosure(`fromPath = ${text}; inputAddressed = true;`).stderr, /is not input-addressed, but 'inputAddressed' is set to 'true'/);
});

test("fetchClosure takes an input-addressed path of a trusted cache where that is asked for", async () => {
  const { top } = await filled;
  assert.equal(lastLine(fetchClosure(`fromPath = ${top}; inputAddressed = true;`).stderr), `error: cannot add path '${top}' because it lacks a signature by a trusted key`);
  const result = fetchClosure(`fromPath = ${top}; inputAddressed = true;`, "--option", "require-sigs", "false");
  assert.equal(result.stdout, `"${top}"\n`, result.stderr);
  assert.match(fetchClosure(`fromPath = ${top};`, "--option", "require-sigs", "false").stderr, /is input-addressed, but 'inputAddressed' is set to 'false' \(default\)/);
});

test("fetchClosure rewrites a closure to what its contents name, and says what that is", async () => {
  const { top } = await filled;
  const said = fetchClosure(`fromPath = ${top}; toPath = "";`);
  assert.equal(said.code, 1);
  const [, dependency, rewritten] = /rewriting '\S+-dep' to '(\S+)'\nrewriting '\S+-top' to '(\S+)'\n/.exec(said.stderr)!;
  assert.match(said.stderr, /\n +Use this value for the 'toPath' attribute passed to 'fetchClosure'\n$/);
  assert.equal(fetchClosure(`fromPath = ${top}; toPath = ${rewritten!};`).stdout, `"${rewritten!}"\n`);
  assert.equal(readFileSync(join(trial.folder, "second", rewritten!), "utf8"), `${dependency!}\n`);
  assert.match(fetchClosure(`fromPath = ${top}; toPath = /nix/store/00000000000000000000000000000000-top;`).stderr, /while '\/nix\/store\/0{32}-top' was expected/);
});

test("fetchClosure takes the name that Nix 2.34 gives to a path that names itself", async () => {
  const { own } = await filled;
  // As 2.34.8 made it of the same derivation.
  const [was, is] = ["/nix/store/bcfbhsq4ryh6rx0h5m1bf8alazlb59a5-fc-top", "/nix/store/5a51gyd7l7w57698ibmq69prj485wps7-fc-top"];
  assert.equal(own, was);
  const said = fetchClosure(`fromPath = ${was}; toPath = "";`).stderr;
  const [, other] = /'\S+-fc-top' to '(\S+)'\n/.exec(said)!;
  for (const name of [is, other!]) {
    assert.equal(fetchClosure(`fromPath = ${was}; toPath = ${name};`).stdout, `"${name}"\n`);
    assert.equal(readFileSync(join(trial.folder, "second", name), "utf8"), `self ${name} dep /nix/store/gb3sbwjmnh85q0lbx5rvdhhbgmnrdil7-fc-dep\n`);
  }
});

test("fetchClosure asks http caches, and only these outside of tests", async () => {
  const { text } = await filled;
  await using server = createServer((request, response) => {
    readFile(join(cache, decodeURIComponent(request.url!))).then((body) => response.end(body), () => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const running = trial.start("instantiate", "--eval", "--store", `local?root=${join(trial.folder, "third")}&store=/nix/store`, "--option", "experimental-features", "fetch-closure", "-E", `builtins.fetchClosure { fromStore = "${url}"; fromPath = ${text}; }`);
  const { code } = await running.ended;
  assert.equal(code, 0, running.stderr());
  assert.equal(readFileSync(join(trial.folder, "third", text), "utf8"), "hello");
  const other = trial.runWith({ env: second }, "instantiate", "--eval", "--extra-experimental-features", "fetch-closure", "-E", `builtins.fetchClosure { fromStore = "file://${cache}"; fromPath = ${text}; }`);
  assert.equal(lastLine(other.stderr), "error: 'fetchClosure' only supports http:// and https:// stores");
});
