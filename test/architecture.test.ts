/** The floors of the house: who may import whom, no cycle, and what may run in the evaluation isolate. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { test } from "node:test";
import { globSync } from "tinyglobby";

const root = resolve(import.meta.dirname, "..");

const FLOORS: Readonly<Record<string, number>> = {
  error: 0, util: 0,
  hash: 1, compression: 1,
  "store-path": 2, nar: 2,
  derivation: 3, narinfo: 3,
  nix: 4, option: 4,
  store: 5, fetch: 5, convert: 5,
  build: 6, cache: 6,
  package: 7, config: 7,
  shell: 8, system: 8, daemon: 8, interop: 8,
  "index.ts": 9,
};

/** Bundled into the isolate, where there is no Node. */
const PURE = [/^core\/error\/(?!format)/, /^core\/util\/(bytes|dedent|ordering|unreachable|suggest|progress)\.ts$/, /^core\/hash\/(?!engine-node)/, /^core\/store-path\//, /^core\/derivation\//, /^core\/option\//, /^core\/package\//, /^core\/index\.ts$/, /^core\/system\/(manifest|toplevel)\.ts$/, /^modules\//, /^pkgs\//];

type Import = { readonly from: string; readonly to: string; readonly line: number; readonly typeOnly: boolean };

const sources = globSync(["core/**/*.ts", "modules/**/*.ts", "pkgs/**/*.ts", "cli/**/*.ts", "templates/**/*.ts"], { cwd: root, ignore: ["**/node_modules/**"] }).sort();
const imports: readonly Import[] = sources.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(resolve(root, file), "utf8");
  const found: Import[] = [];
  const pattern = /^\s*(?:import|export)\s+(type\s)?[^;"'`]*?\bfrom\s+["']([^"']+)["']|^\s*import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;
  for (const match of text.matchAll(pattern)) {
    const specifier = match[2] ?? match[3] ?? match[4]!;
    const to = specifier.startsWith(".") ? relative(root, resolve(root, dirname(file), specifier)) : specifier;
    found.push({ from: file, to, line: text.slice(0, match.index).split("\n").length, typeOnly: match[1] !== undefined });
  }
  return found;
}

function place(file: string): { readonly area: string; readonly folder: string } {
  const [area, folder] = file.split("/") as [string, string];
  return { area, folder };
}

function complain(bad: readonly Import[], why: string): void {
  assert.deepEqual(bad.map((i) => `${i.from}:${i.line} imports ${i.to}`), [], why);
}

test("a folder of core imports only lower floors and its own files", () => {
  complain(
    imports.filter((i) => {
      if (!i.from.startsWith("core/") || !/^(core|modules|pkgs|cli|templates|test)\//.test(i.to)) return false;
      if (!i.to.startsWith("core/")) return true;
      const from = place(i.from).folder;
      const to = place(i.to).folder;
      assert.ok(FLOORS[from] !== undefined && FLOORS[to] !== undefined, `no floor for core/${from} or core/${to}`);
      return from !== to && FLOORS[to] >= FLOORS[from];
    }),
    "see the table of floors in docs/architecture.md",
  );
});

test("pkgs and modules import only the public API and their own files", () => {
  complain(
    imports.filter((i) => {
      const area = place(i.from).area;
      if (area !== "pkgs" && area !== "modules") return false;
      return !(i.to.startsWith(`${area}/`) || i.to === "core/index.ts" || i.to === "tsos");
    }),
    "packages reach a module as its argument `pkgs`",
  );
});

test("templates import only tsos and their own files", () => {
  complain(
    imports.filter((i) => i.from.startsWith("templates/") && i.to !== "tsos" && !i.to.startsWith("templates/")),
    "a template is what a user writes",
  );
});

test("what runs in the isolate imports nothing of Node", () => {
  complain(
    imports.filter((i) => PURE.some((pattern) => pattern.test(i.from)) && i.to.startsWith("node:")),
    "the isolate has no Node",
  );
});

test("relative imports carry their extension", () => {
  complain(
    imports.filter((i) => /^(core|modules|pkgs|cli)\//.test(i.to) && !/\.(ts|js|json|sh|mjs)$/.test(i.to)),
    "write ./x.ts",
  );
});

/** Where what options, packages and their definitions are is said in each other's terms: the types go round, the code does not. */
const KNOTS = /^core\/(?:option|package)\//;

function findCycles(arrows: readonly Import[]): readonly string[] {
  const edges = new Map<string, string[]>();
  for (const i of arrows) edges.set(i.from, [...(edges.get(i.from) ?? []), i.to]);
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      return;
    }
    state.set(file, "open");
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, "done");
  };
  for (const file of sources) visit(file, []);
  return cycles;
}

test("no file imports itself through others", () => {
  assert.deepEqual(findCycles(imports.filter((i) => !i.typeOnly)), []);
});

test("types go round in no other folder than those of options and packages", () => {
  assert.deepEqual(findCycles(imports.filter((i) => !(i.typeOnly && KNOTS.test(i.from)))), []);
});

test("every dependency is pinned exactly and its reason is written down", () => {
  const manifest = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as Record<string, Record<string, string>>;
  const reasons = readFileSync(resolve(root, "docs/dependencies.md"), "utf8");
  for (const [name, version] of Object.entries({ ...manifest["dependencies"], ...manifest["devDependencies"] })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is not pinned`);
    assert.ok(reasons.includes(`\`${name}\``), `docs/dependencies.md says nothing of ${name}`);
  }
});
