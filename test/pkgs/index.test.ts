import assert from "node:assert/strict";
import { test } from "node:test";
import { EvaluationRegistry, type Package } from "../../core/index.ts";
import { createPackages, packageNames } from "../../pkgs/index.ts";

function all(): { readonly registry: EvaluationRegistry; readonly packages: ReadonlyMap<string, Package> } {
  const registry = new EvaluationRegistry();
  const pkgs = createPackages(registry);
  return { registry, packages: new Map(packageNames.map((name) => [name, pkgs[name as "hello"]])) };
}

test("every package has a description, a licence, an updater and a test", () => {
  for (const [name, { meta, update, test, version }] of all().packages) {
    assert.match(meta.description ?? "", /^.{10,90}[^.]$/, `description of ${name}`);
    assert.ok(meta.license && meta.homepage?.startsWith("https://"), `licence and homepage of ${name}`);
    assert.ok(update !== undefined && test?.drvPath.endsWith("-test.drv"), `updater and test of ${name}`);
    assert.match(version, /^\d[\w.]*$/, `version of ${name}`);
  }
});

test("evaluating all packages twice gives the same derivations", () => {
  const paths = (): string[] => [...all().packages.values()].map((item) => item.drvPath);
  assert.deepEqual(paths(), paths());
});

test("an instantiation of one package holds every input before its user and no other package", () => {
  const { registry, packages } = all();
  const nginx = packages.get("nginx") as Package;
  void packages.get("postgresql")?.drvPath;
  const { derivations, sources } = registry.instantiation([nginx.drvPath]);
  const seen = new Set(sources.map(({ path }) => path));
  for (const { path, contents } of derivations) {
    for (const [input] of contents.matchAll(/\/nix\/store\/[0-9a-z]{32}-[^"\\,]+\.drv/g)) assert.ok(seen.has(input), `${input} stands before ${path}`);
    seen.add(path);
  }
  assert.equal([...seen].some((path) => /postgresql/.test(path)), false);
  for (const name of ["pcre2", "zlib", "openssl-libraries", "build-root", "glibc"]) assert.ok([...seen].some((path) => path.includes(`-${name}-`)), name);
});

test("headers come from the dev output and programs from the package itself", () => {
  const registry = new EvaluationRegistry();
  const { mkDerivation, zlib, nginx } = createPackages(registry);
  const user = mkDerivation({ name: "user", buildInputs: [zlib], nativeBuildInputs: [zlib] });
  const env = JSON.parse(registry.getRecorded(user.drvPath).derivation.env.get("__json") ?? "") as Record<string, unknown>;
  assert.deepEqual(env["buildInputs"], [zlib.dev.outPath]);
  assert.deepEqual(env["nativeBuildInputs"], [zlib.outPath]);
  assert.deepEqual([nginx.meta.mainProgram, nginx.pname], ["nginx", "nginx"]);
});

test("another zlib makes another nginx", () => {
  const pkgs = createPackages(new EvaluationRegistry());
  const changed = createPackages(new EvaluationRegistry(), [
    (_, { zlib }) => ({ zlib: zlib.overrideAttrs(({ patches = [] }) => ({ patches: [...patches, pkgs.writeText("none.patch", "").outPath] })) }),
  ]);
  assert.throws(() => changed.nginx.drvPath, { code: "package.unknown-store-path" });
  const other = createPackages(new EvaluationRegistry(), [(_, { zlib }) => ({ zlib: zlib.overrideAttrs(() => ({ doCheck: true })) })]);
  assert.notEqual(other.nginx.drvPath, pkgs.nginx.drvPath);
  assert.equal(other.htop.drvPath, pkgs.htop.drvPath);
});

test("the OS root takes what a module names and leaves out what is excluded", () => {
  const registry = new EvaluationRegistry();
  const pkgs = createPackages(registry);
  const holds = (root: Package, seed: string): boolean => (registry.getRecorded(root.drvPath).derivation.env.get("trees") ?? "").includes(`-${seed}-unpacked`);
  const more = pkgs.composeOsRoot(["nginx", "debconf"]);
  assert.deepEqual([holds(pkgs.composeOsRoot([]), "systemd"), holds(pkgs.composeOsRoot([]), "nginx")], [true, false]);
  assert.deepEqual([holds(more, "systemd"), holds(more, "nginx"), holds(more, "debconf")], [true, true, false]);
});

test("a Debian package that the lock does not have is an error that names it", () => {
  const pkgs = createPackages(new EvaluationRegistry());
  assert.throws(() => pkgs.composeOsRoot(["no-such-package"]).drvPath, /no-such-package/);
});
