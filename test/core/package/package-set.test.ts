import assert from "node:assert/strict";
import { test } from "node:test";
import { defineHelper } from "../../../core/package/define-helper.ts";
import { definePackage, type PackageDefinition } from "../../../core/package/define-package.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import type { BuildAttributes } from "../../../core/package/build-attributes.ts";
import { isPackage, type Package } from "../../../core/package/package.ts";
import { createPackageSet, type Overlay, type PackageSetEntry } from "../../../core/package/package-set.ts";

/** The set of these tests, typed loosely: its names are not those of the embedded set. */
type Names = Readonly<Record<string, Package>> & { readonly make: (attributes: BuildAttributes) => Package };

const make = defineHelper(({ createPackage, system }) => (attributes: BuildAttributes): Package =>
  createPackage(attributes, ({ pname, version, meta: _, passthru: __, ...rest }) => ({ name: `${pname}-${version}`, system, builder: "/bin/sh", ...rest })),
);

function simple(pname: string, inputs: readonly string[] = []): PackageDefinition {
  return definePackage({
    pname,
    version: "1.0",
    options: { color: "red" },
    build: (args) => {
      const names = args as unknown as Names & { readonly color: string };
      return names.make({ pname, version: "1.0", color: names.color, buildInputs: inputs.map((input) => names[input] as Package) });
    },
  });
}

function set(entries: Record<string, PackageSetEntry>, overlays: Overlay[] = []): Names {
  return createPackageSet({ registry: new EvaluationRegistry(), entries: { make, ...entries }, overlays }) as unknown as Names;
}

const overlay = (change: (final: Names, prev: Names) => Record<string, unknown>): Overlay => change as unknown as Overlay;

function env(item: Package, variable: string): string {
  return String(item.attributes[variable]);
}

function code(run: () => unknown): { code: string; hint: string | undefined; message: string } {
  try {
    run();
  } catch (error) {
    return error as never;
  }
  return assert.fail("expected an error");
}

test("computes a package only when its path is asked for", () => {
  let built = 0;
  const lazy = definePackage({
    pname: "lazy",
    version: "1",
    build: (args) => {
      built++;
      return (args as unknown as Names).make({ pname: "lazy", version: "1" });
    },
  });
  const pkgs = set({ lazy });
  assert.equal(pkgs["lazy"]?.pname, "lazy");
  assert.equal(built, 0);
  assert.match(`${pkgs["lazy"]}`, /^\/nix\/store\/[0-9a-z]{32}-lazy-1$/);
  assert.ok(pkgs["lazy"]?.outPath);
  assert.equal(built, 1);
});

test("names the nearest package for an unknown name", () => {
  const pkgs = set({ ripgrep: simple("ripgrep") });
  const error = code(() => pkgs["ripgrp"]);
  assert.equal(error.code, "package.unknown");
  assert.equal(error.hint, 'did you mean "ripgrep"?');
});

test("override changes arguments and overrideAttrs attributes, in any order", () => {
  const pkgs = set({ zlib: simple("zlib"), hello: simple("hello", ["zlib"]) });
  const hello = pkgs["hello"] as Package;
  const once = hello.override({ color: "blue" }).overrideAttrs((old) => ({ color: `${old["color"]}!` }));
  const twice = hello.overrideAttrs((old) => ({ color: `${old["color"]}!` })).override({ color: "blue" });
  assert.equal(env(once, "color"), "blue!");
  assert.equal(once.drvPath, twice.drvPath);
  const thrice = once.overrideAttrs((old) => ({ color: `${old["color"]}?`, version: "2" }));
  assert.equal(env(thrice, "color"), "blue!?");
  assert.equal(thrice.name, "hello-2");
  assert.notEqual(hello.drvPath, once.drvPath);
});

test("override replaces a package among the arguments", () => {
  const pkgs = set({ zlib: simple("zlib"), ng: simple("ng"), hello: simple("hello", ["zlib"]) });
  const hello = pkgs["hello"] as Package;
  const changed = hello.override({ zlib: pkgs["ng"] });
  assert.deepEqual(changed.attributes.buildInputs?.map(String), [String(pkgs["ng"])]);
});

test("override refuses a name that is neither an option nor in the set", () => {
  const pkgs = set({ zlib: simple("zlib"), hello: simple("hello", ["zlib"]) });
  const hello = pkgs["hello"] as Package;
  const refused = code(() => hello.override({ colour: "blue" }));
  assert.deepEqual([refused.code, refused.hint], ["package.unknown-argument", 'did you mean "color"?']);
  assert.match(code(() => hello.override({ nope: 1 })).hint ?? "", /its options are color; overrideAttrs/);
  assert.equal(hello.override({ version: "1.0" }).drvPath, hello.drvPath);
});

test("overlays reach into each other's results and into packages below", () => {
  const pkgs = set({ zlib: simple("zlib"), hello: simple("hello", ["zlib"]) }, [
    overlay((_, prev) => ({ zlib: prev["zlib"]?.overrideAttrs(() => ({ color: "one" })) })),
    overlay((final, prev) => ({
      zlib: prev["zlib"]?.overrideAttrs((old) => ({ color: `${old["color"]}+two` })),
      tool: final.make({ pname: "tool", version: "3", buildInputs: [final["hello"] as Package] }),
      other: final["hello"]?.override({ color: "green" }),
      extra: simple("extra", ["tool"]),
    })),
  ]);
  assert.equal(env(pkgs["zlib"] as Package, "color"), "one+two");
  assert.deepEqual(pkgs["hello"]?.attributes.buildInputs?.map(String), [String(pkgs["zlib"])]);
  assert.ok(isPackage(pkgs["tool"]));
  assert.equal(pkgs["tool"].name, "tool-3");
  assert.equal(env(pkgs["other"] as Package, "color"), "green");
  assert.deepEqual(pkgs["extra"]?.attributes.buildInputs?.map(String), [String(pkgs["tool"])]);
});

test("an overlay that needs the finished set's value too early is told to use a getter", () => {
  const error = code(() => set({ a: simple("a") }, [overlay((final) => ({ b: `${final["a"]}/bin` }))]));
  assert.equal(error.code, "package.overlay-too-early");
});

test("packages that need each other are an error that names the cycle", () => {
  const pkgs = set({ a: simple("a", ["b"]), b: simple("b", ["c"]), c: simple("c", ["a"]) });
  const error = code(() => String(pkgs["a"]));
  assert.equal(error.code, "package.infinite-recursion");
  assert.match(error.message, /a-1\.0 → b-1\.0 → c-1\.0 → a-1\.0/);
});

test("each output is a value of its own and an unknown one is an error", () => {
  const multi = definePackage({
    pname: "multi",
    version: "1",
    build: (args) => (args as unknown as Names).make({ pname: "multi", version: "1", outputs: ["bin", "out", "dev"] }),
  });
  const pkgs = set({ multi });
  const value = pkgs["multi"] as Package;
  assert.equal(value.outputName, "bin");
  assert.match(`${value.dev}`, /-multi-1-dev$/);
  assert.match(`${value.out}`, /-multi-1$/);
  assert.equal(value.dev.drvPath, value.drvPath);
  assert.equal(code(() => value.man).code, "package.unknown-output");
});

test("a build that returns a promise or nothing is an error", () => {
  const bad = definePackage({ pname: "bad", version: "1", build: (() => Promise.resolve()) as never });
  assert.equal(code(() => String(set({ bad })["bad"])).code, "package.bad-build");
});

test("a build that throws is told by its name", () => {
  const bad = definePackage({ pname: "bad", version: "1", build: (() => (null as unknown as { x: never }).x) as never });
  const error = code(() => String(set({ bad })["bad"]));
  assert.equal(error.code, "package.build-failed");
  assert.match(error.message, /the build of package "bad" failed: TypeError: Cannot read/);
});

test("a frozen package still works", () => {
  const pkgs = set({ a: simple("a") });
  const frozen = Object.freeze(pkgs["a"] as Package);
  assert.ok(frozen.outPath.endsWith("-a-1.0"));
});
