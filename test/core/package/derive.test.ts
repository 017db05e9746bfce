import assert from "node:assert/strict";
import { test } from "node:test";
import { createPackage } from "../../../core/package/create-package.ts";
import type { DerivationAttributes } from "../../../core/package/derivation-attributes.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import { secretFile } from "../../../core/package/secret.ts";

const base = { system: "x86_64-linux", builder: "/bin/sh" } as const;
const compile = (attributes: object): DerivationAttributes => ({ ...base, name: "x", ...attributes });

function failure(run: () => unknown): { code: string; message: string; data: Record<string, unknown>; hint?: string } {
  try {
    run();
  } catch (error) {
    return error as never;
  }
  return assert.fail("expected an error");
}

test("coerces attributes to the environment as Nix does", () => {
  const registry = new EvaluationRegistry();
  const { derivation } = registry.derive({
    ...base,
    name: "coerced",
    text: "a b",
    count: 3,
    ratio: 1.5,
    yes: true,
    no: false,
    list: ["a", 1, true, false, ["b", "c"], [], "d"],
    gone: null,
    missing: undefined,
    unicode: "é",
  });
  const env = Object.fromEntries(derivation.env);
  assert.deepEqual(
    { text: env["text"], count: env["count"], ratio: env["ratio"], yes: env["yes"], no: env["no"], list: env["list"], unicode: env["unicode"] },
    { text: "a b", count: "3", ratio: "1.500000", yes: "1", no: "", list: "a 1 1  b c d", unicode: "\u00c3\u00a9" },
  );
  assert.equal("gone" in env || "missing" in env, false);
});

test("computes the paths that the reference implementation computes", () => {
  // nix-instantiate --eval -E '(derivation { name = "t"; system = "x86_64-linux"; builder = "/bin/sh"; args = ["-c" "echo"]; n = 1; l = ["a" "b"]; }).drvPath'
  const registry = new EvaluationRegistry();
  const { path, outputs } = registry.derive({ ...base, name: "t", args: ["-c", "echo"], n: 1, l: ["a", "b"] });
  assert.equal(path, "nwv1scz1zk8x56n76ab45r6zwl18rmb3-t.drv");
  assert.equal(outputs.get("out"), "jw8n5ki7lg4a71pn28ldbk0v98i5h9cq-t");
});

test("makes an input of the output that a string holds, and of sources", () => {
  const registry = new EvaluationRegistry();
  const lib = createPackage(registry, { name: "lib", outputs: ["out", "dev"] }, (attributes) => ({ ...base, name: "lib", outputs: attributes.outputs }));
  const script = registry.addText("setup.sh", "true\n");
  const { derivation } = registry.derive({ ...base, name: "user", flags: `-I${lib.dev}/include`, args: [script] });
  assert.deepEqual([...derivation.inputDerivations].map(([path, outputs]) => [path.slice(33), [...outputs]]), [["lib.drv", ["dev"]]]);
  assert.deepEqual([...derivation.inputSources], [script.path.slice("/nix/store/".length)]);
});

test("rejects a store path that was never issued, with its attribute", () => {
  const registry = new EvaluationRegistry();
  const path = "/nix/store/00000000000000000000000000000000-lost";
  const error = failure(() => registry.derive({ ...base, name: "bad", flags: [`--with=${path}/lib`] }));
  assert.equal(error.code, "package.unknown-store-path");
  assert.equal(error.data["path"], path);
  assert.equal(error.data["attribute"], "flags");
  assert.match(error.message, /attribute "flags" of derivation "bad"/);
});

test("leaves the store's folder and hidden files in strings alone", () => {
  const registry = new EvaluationRegistry();
  const { derivation } = registry.derive({ ...base, name: "ok", dirs: "/nix/store /nix/store/ /nix/store/.links" });
  assert.equal(derivation.inputSources.size + derivation.inputDerivations.size, 0);
});

test("a secret cannot enter a derivation or a string", () => {
  const registry = new EvaluationRegistry();
  const secret = secretFile("/var/lib/secret");
  assert.equal(failure(() => registry.derive({ ...base, name: "leak", password: secret })).code, "package.secret-in-string");
  // @ts-expect-error a secret is no string
  assert.equal(failure(() => `${secret}`).code, "package.secret-in-string");
  assert.equal(failure(() => JSON.stringify({ secret })).code, "package.secret-in-string");
});

test("makes fixed outputs whose path depends on the hash alone", () => {
  const registry = new EvaluationRegistry();
  const hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  const fetch = (url: string) => registry.derive({ ...base, name: "empty", url, outputHash: hash, outputHashMode: "flat" });
  const [one, two] = [fetch("mirror://a/x"), fetch("mirror://b/x")];
  assert.equal(one.outputs.get("out"), two.outputs.get("out"));
  assert.notEqual(one.path, two.path);
});

test("hands structured attributes over as sorted JSON", () => {
  const registry = new EvaluationRegistry();
  const { derivation } = registry.derive({ ...base, name: "s", __structuredAttrs: true, z: [1, true], a: { c: null, b: "x" } });
  assert.deepEqual(JSON.parse(derivation.env.get("__json") ?? ""), { a: { b: "x", c: null }, builder: "/bin/sh", name: "s", system: "x86_64-linux", z: [1, true] });
  assert.match(derivation.env.get("__json") ?? "", /^\{"a":\{"b"/);
});

test("rejects an object as an attribute without structured attributes", () => {
  const registry = new EvaluationRegistry();
  assert.equal(failure(() => registry.derive({ ...base, name: "s", a: { b: 1 } })).code, "package.bad-attribute");
});

test("an instantiation holds what its roots reach, inputs first, and nothing else", () => {
  const registry = new EvaluationRegistry();
  const text = registry.addText("t", "hi");
  const a = createPackage(registry, { name: "a", text }, compile);
  const b = createPackage(registry, { name: "b", a }, compile);
  const other = createPackage(registry, { name: "other" }, compile);
  assert.ok(other.outPath !== b.outPath);
  const { derivations, sources } = registry.instantiation([b.drvPath]);
  assert.deepEqual(derivations.map(({ path }) => path), [a.drvPath, b.drvPath]);
  assert.deepEqual(sources.map(({ path }) => path), [text.path]);
  assert.deepEqual(JSON.parse(JSON.stringify(registry.instantiation([b.outPath]))), { derivations, sources });
});

test("a text may refer to sources and not to what must be built", () => {
  const registry = new EvaluationRegistry();
  const inner = registry.addText("inner", "x");
  const outer = registry.addText("outer", `see ${inner}`);
  const { sources } = registry.instantiation([outer.path]);
  assert.deepEqual(sources.map(({ name }) => name), ["inner", "outer"]);
  const built = createPackage(registry, { name: "built" }, compile);
  assert.equal(failure(() => registry.addText("bad", `${built}`)).code, "package.text-refers-to-output");
});

test("the same attributes make one derivation, however often they are derived", () => {
  const registry = new EvaluationRegistry();
  const attributes = { ...base, name: "same", list: ["a", 1] };
  const first = registry.derive(attributes);
  assert.equal(registry.derive({ ...attributes, list: ["a", "1"] }), first);
  for (const other of [{ name: "other" }, { list: "b" }, { args: ["x"] }, { outputs: ["out", "dev"] }, { outputHash: `sha256:${"0".repeat(64)}` }, { __structuredAttrs: true }]) {
    assert.notEqual(registry.derive({ ...attributes, ...other }).path, first.path, JSON.stringify(other));
  }
});
