import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { createFolderFiles } from "../../../core/config/folder-files.ts";
import { createNixScope, type NixScope } from "../../../core/interop/nix-scope.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import { isPackage, type Package } from "../../../core/package/package.ts";
import { instantiate } from "../../../core/store/instantiate.ts";
import { createPackages } from "../../../pkgs/index.ts";
import { temporaryStore } from "../store/temporary-store.ts";

const SOURCE = `/nix/store/${"a".repeat(32)}-source`;

/** The smallest collection of packages that looks like the large one. */
const COLLECTION = {
  "default.nix": `{ config ? { }, overlays ? [ ] }:
let
  lib = import ./lib.nix;
  base = self: {
    inherit lib config;
    stdenv.mkDerivation = attrs: let drv = derivation (removeAttrs attrs [ "meta" "passthru" ] // { name = attrs.name or "\${attrs.pname}-\${attrs.version}"; system = "x86_64-linux"; builder = "/bin/sh"; }); in
      drv // { meta = attrs.meta or { }; overrideAttrs = f: self.stdenv.mkDerivation (attrs // (if builtins.isFunction (f attrs) then f attrs attrs else f attrs)); } // (attrs.passthru or { });
    callPackage = f: args: let fn = if builtins.isPath f then import f else f; make = extra: fn (builtins.intersectAttrs (builtins.functionArgs fn) self // args // extra) // { override = more: make (extra // more); }; in make { };
    zlib = self.stdenv.mkDerivation { pname = "zlib"; version = "1.3"; outputs = [ "out" "dev" ]; };
    tool = self.callPackage ./tool.nix { };
    broken = throw "this package is broken";
    withPackages = f: self.stdenv.mkDerivation { name = "env"; paths = f self; };
  };
  fix = f: let x = f x; in x;
  extend = f: overlay: self: let super = f self; in super // overlay self super;
in fix (builtins.foldl' extend base overlays)
`,
  "lib.nix": `{ id = x: x; twice = f: x: f (f x); version = "1"; large = 9007199254740993; half = 0.5; nothing = null; list = [ 1 "two" [ 3 ] ]; here = ./tool.nix; add = { a, b ? 2 }: a + b; counter = { count = 0; __functor = self: n: self.count + n; }; }
`,
  "tool.nix": `{ stdenv, zlib, lib, greeting ? "hello" }: stdenv.mkDerivation { pname = "tool"; version = "2.0"; inherit greeting; buildInputs = [ zlib.dev ]; src = ./lib.nix; meta = { description = "a tool"; license = [ { spdxId = "MIT"; } { spdxId = "Zlib"; } ]; homepage = [ "https://tool.example" ]; mainProgram = "tool"; }; passthru = { extra = "more"; }; }
`,
};

type Collection = Readonly<Record<string, unknown>> & {
  readonly lib: Readonly<Record<string, unknown>> & { readonly id: (x: unknown) => unknown; readonly twice: (f: (x: number) => number, x: number) => number; readonly add: (args: object) => number };
  readonly tool: Package & { readonly extra: string };
  readonly zlib: Package;
  readonly withPackages: (f: (pkgs: Collection) => readonly unknown[]) => Package;
};

function open(t: TestContext, files: Readonly<Record<string, string>> = COLLECTION): { readonly registry: EvaluationRegistry; readonly scope: NixScope; readonly folder: string; readonly log: string[]; readonly load: (args?: object) => Collection } {
  const folder = mkdtempSync(join(tmpdir(), "tsos-interop-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const registry = new EvaluationRegistry();
  const log: string[] = [];
  registry.addPath("source", SOURCE, folder);
  const scope = createNixScope({ registry, files: createFolderFiles(new Map([[SOURCE, folder]])), sources: new Set([SOURCE]), log: (line) => log.push(line) });
  return { registry, scope, folder, log, load: (args = {}) => (scope.importFile(SOURCE) as (args: object) => Collection)(args) };
}

describe("a Nix value in TypeScript", () => {
  test("is what it means there", (t) => {
    const { lib } = open(t).load();
    assert.equal(lib["version"], "1");
    assert.equal(lib["large"], 9007199254740993n);
    assert.equal(lib["half"], 0.5);
    assert.equal(lib["nothing"], null);
    assert.deepEqual(JSON.parse(JSON.stringify(lib["list"])), [1, "two", [3]]);
    assert.ok(Array.isArray(lib["list"]));
    assert.equal((lib["list"] as readonly unknown[]).length, 3);
    assert.deepEqual([...(lib["list"] as readonly unknown[])].slice(0, 2), [1, "two"]);
    assert.equal(Object.keys(lib).includes("half"), true);
    assert.equal("half" in lib, true);
    assert.equal("quarter" in lib, false);
  });

  test("is evaluated when it is read, and once", (t) => {
    const { scope, log } = open(t);
    const set = scope.evaluate('{ a = builtins.trace "a" 1; b = throw "never"; c = [ (builtins.trace "c" { }) (throw "never") ]; }') as { a: number; c: readonly unknown[] };
    assert.deepEqual(log, []);
    assert.deepEqual([set.a, set.a], [1, 1]);
    assert.equal(set.c[0], set.c[0]);
    assert.deepEqual(log, ["trace: a", "trace: c"]);
  });

  test("is a function that takes and gives values of both languages", (t) => {
    const { lib } = open(t).load();
    assert.equal(lib.twice((x) => x * 3, 7), 63);
    assert.equal(lib.add({ a: 40 }), 42);
    assert.equal(lib.add({ a: 40, b: 1 }), 41);
    assert.equal((lib["counter"] as unknown as (n: number) => number)(5), 5);
    const object = { deep: { list: [1, { f: (x: number) => x + 1 }] } };
    const back = lib.id(object) as typeof object;
    assert.equal((back.deep.list[1] as { f: (x: number) => number }).f(1), 2);
    assert.equal(lib.id(lib), lib, "what came from there goes back as itself");
  });

  test("cannot be changed", (t) => {
    const { lib } = open(t).load();
    assert.throws(() => Object.assign(lib, { version: "2" }), { code: "nix.read-only" });
    assert.throws(() => (lib["list"] as unknown[]).push(4), { code: "nix.read-only" });
  });

  test("tells a name that it does not have, and the nearest", (t) => {
    const pkgs = open(t).load();
    assert.throws(() => pkgs["zlip"], (error) => error instanceof TsosError && error.code === "nix.missing-attribute" && /zlib/.test(error.hint ?? ""));
  });
});

describe("a derivation of a Nix expression", () => {
  test("is a package with its outputs, version and metadata", (t) => {
    const { tool } = open(t).load();
    assert.ok(isPackage(tool));
    assert.equal(tool.name, "tool-2.0");
    assert.equal(tool.pname, "tool");
    assert.equal(tool.version, "2.0");
    assert.equal(tool.meta.description, "a tool");
    assert.equal(tool.meta.license, "MIT AND Zlib");
    assert.equal(tool.meta.homepage, "https://tool.example");
    assert.equal(tool.meta.mainProgram, "tool");
    assert.equal(tool.extra, "more");
    assert.match(`${tool}/bin/tool`, /^\/nix\/store\/[0-9a-z]{32}-tool-2\.0\/bin\/tool$/);
    assert.equal(JSON.stringify({ tool }), `{"tool":"${tool.outPath}"}`);
  });

  test("has its outputs, and tells one that it has not", (t) => {
    const { zlib } = open(t).load();
    assert.match(zlib.dev.outPath, /-zlib-1\.3-dev$/);
    assert.equal(zlib.output("dev").outPath, zlib.dev.outPath);
    assert.throws(() => zlib.output("devel"), (error) => error instanceof TsosError && error.code === "package.unknown-output" && /"out", "dev"/.test(error.message));
  });

  test("has the path that Nix gives it, with everything that it needs in the instantiation", async (t) => {
    const { registry, load, folder } = open(t);
    const { tool } = load();
    const instantiation = registry.instantiation([tool.drvPath]);
    assert.deepEqual(instantiation.derivations.map(({ path }) => path.replace(/.*[0-9a-z]{32}-/, "")).sort(), ["tool-2.0.drv", "zlib-1.3.drv"]);
    assert.deepEqual(instantiation.sources.map(({ name }) => name), ["lib.nix"]);
    const { store, root } = await temporaryStore(t);
    await instantiate(store, instantiation);
    const { execFileSync } = await import("node:child_process");
    let theirs: string;
    try {
      theirs = execFileSync("nix-instantiate", ["--store", `local?root=${root}`, folder, "-A", "tool"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env: { PATH: process.env["PATH"], HOME: root } }).trim();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return t.skip("Debian's nix-bin is not installed");
      throw error;
    }
    assert.equal(tool.drvPath, theirs);
  });

  test("is overridden by objects and functions of TypeScript", (t) => {
    const { tool, zlib } = open(t).load();
    const greeting = tool.override({ greeting: "moin" });
    assert.notEqual(greeting.drvPath, tool.drvPath);
    assert.equal((greeting.attributes as Record<string, unknown>)["greeting"], "moin");
    const renamed = tool.overrideAttrs((previous) => ({ version: `${String((previous as { version?: string }).version)}.1`, name: "tool-2.0.1" }));
    assert.equal(renamed.name, "tool-2.0.1");
    assert.equal(tool.override({ zlib: zlib.override === undefined ? zlib : zlib }).drvPath, tool.drvPath);
  });

  test("comes from overlays written in TypeScript", (t) => {
    const { load } = open(t);
    const pkgs = load({
      overlays: [
        (final: Collection, prev: Collection) => ({
          extraTool: prev.tool.override({ greeting: "from an overlay" }),
          get shouted() {
            return prev.tool.override({ greeting: `${prev.tool.version}!` });
          },
          get both() {
            return final.withPackages((p) => [p["extraTool"], p.zlib]);
          },
        }),
      ],
      config: { allowUnfree: true },
    });
    assert.equal(((pkgs["extraTool"] as Package).attributes as Record<string, unknown>)["greeting"], "from an overlay");
    assert.equal(((pkgs["shouted"] as Package).attributes as Record<string, unknown>)["greeting"], "2.0!");
    assert.ok(isPackage(pkgs["both"]));
    assert.equal((pkgs["config"] as { allowUnfree: boolean }).allowUnfree, true);
  });

  test("of an overlay that asks too early says how to ask later", (t) => {
    const { load } = open(t);
    const overlay = (final: Collection): object => ({ env: final.withPackages(() => []) });
    const pkgs = () => load({ overlays: [(final: Collection, prev: Collection) => (void prev, overlay(final))] })["env"];
    assert.throws(pkgs, (error) => error instanceof TsosError && error.code === "nix.late-value" && /get name\(\)/.test(error.hint ?? ""));
  });

  test("is an input of a package of tsos, and has one as its own", (t) => {
    const { registry, load } = open(t);
    const nix = load();
    const native = createPackages(registry);
    const text = native.writeText("mixed", `${nix.tool} and ${nix.zlib.dev}`);
    const { derivations } = registry.instantiation([text.drvPath]);
    assert.ok(derivations.some(({ path }) => path === nix.tool.drvPath));
    const env = nix.withPackages(() => [native.jq, text]);
    const recorded = registry.getRecorded(env.drvPath);
    assert.deepEqual([...recorded.derivation.inputDerivations.keys()].map((path) => `/nix/store/${path}`).sort(), [native.jq.drvPath, text.drvPath].sort());
  });
});

describe("an error of a Nix expression", () => {
  const failure = (body: () => unknown): TsosError => {
    try {
      body();
    } catch (error) {
      assert.ok(error instanceof TsosError, String(error));
      return error;
    }
    return assert.fail("nothing was thrown");
  };

  test("keeps its message, trace and place in the Nix file", (t) => {
    const pkgs = open(t).load();
    const error = failure(() => pkgs["broken"]);
    assert.equal(error.code, "nix.evaluation");
    assert.match(error.message, /this package is broken/);
    assert.match(error.related[0]?.file ?? "", /default\.nix$/);
    assert.equal(error.related[0]?.line, 11);
    assert.match(String(error.data["trace"]), /while calling the 'throw' builtin\s+at .*default\.nix:11/);
  });

  test("of wrong arguments names the argument", (t) => {
    const { lib } = open(t).load();
    assert.match(failure(() => lib.add({ c: 1 })).message, /called without required argument 'a'|unexpected argument 'c'/);
  });

  test("that TypeScript throws inside of it is TypeScript's own", (t) => {
    const { lib } = open(t).load();
    assert.throws(() => lib.twice(() => { throw new TypeError("mine"); }, 1), (error) => error instanceof TypeError && error.message === "mine");
  });

  test("of a recursion through both languages is told as one", (t) => {
    const { scope, lib } = { ...open(t), lib: open(t).load().lib };
    void scope;
    const again = (x: unknown): unknown => lib.twice(again as never, x as never);
    assert.match(failure(() => again(1)).code, /^nix\.(stack-overflow|evaluation)$/);
  });

  test("of a file outside of the inputs, the environment or a build names it", (t) => {
    const { scope } = open(t);
    assert.match(failure(() => scope.evaluate("builtins.readFile /etc/passwd")).message, /access to absolute path '\/etc\/passwd' is forbidden/);
    assert.match(failure(() => scope.evaluate('import (derivation { name = "x"; system = "x"; builder = "x"; })')).message, /during evaluation/);
    assert.equal(scope.evaluate('builtins.getEnv "HOME"'), "");
    assert.equal(scope.evaluate("builtins ? currentTime"), false);
  });

  test("of a value that the language cannot have says what it may be", (t) => {
    const { lib } = open(t).load();
    for (const [value, reason] of [[new Date(), /the class Date/], [Number.NaN, /NaN/], [Symbol("x"), /symbol/], [2n ** 70n, /64 bits/], [`/nix/store/${"b".repeat(32)}-x/bin`, /never issued/]] as const) {
      assert.match(failure(() => lib.id(value)).message, reason);
    }
  });
});
