import assert from "node:assert/strict";
import { test } from "node:test";
import { DerivationMemory } from "../../../core/package/derivation-memory.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import { formatStorePath } from "../../../core/store-path/store-path.ts";

const base = { system: "x86_64-linux", builder: "/bin/sh" };
const fixed = { ...base, name: "source", outputHash: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" };

test("a derivation made again in a later evaluation is the same, recorded with its inputs", () => {
  const memory = new DerivationMemory("/nix/store");
  const evaluate = (shared: boolean) => {
    const registry = new EvaluationRegistry(shared ? { memory } : {});
    const input = registry.derive({ ...base, name: "input" });
    const user = registry.derive({ ...base, name: "user", input: formatStorePath(input.outputs.get("out")!) });
    return { user, instantiation: registry.instantiation([formatStorePath(user.path)]) };
  };
  const [first, second, alone] = [evaluate(true), evaluate(true), evaluate(false)];
  assert.equal(first.user, second.user);
  assert.deepEqual(second.instantiation, alone.instantiation);
});

test("a fixed output that another derivation makes now is an input by that one", () => {
  const memory = new DerivationMemory("/nix/store");
  const evaluate = (url: string) => {
    const registry = new EvaluationRegistry({ memory });
    const source = registry.derive({ ...fixed, url });
    const user = registry.derive({ ...base, name: "user", src: formatStorePath(source.outputs.get("out")!) });
    return { source, user, instantiation: registry.instantiation([formatStorePath(user.path)]) };
  };
  const [one, other] = [evaluate("https://a.example/x"), evaluate("https://b.example/x")];
  assert.deepEqual([...one.source.outputs.values()], [...other.source.outputs.values()]);
  assert.deepEqual([...other.user.derivation.inputDerivations.keys()], [other.source.path]);
  assert.equal(other.instantiation.derivations.length, 2);
});

test("an evaluation does not see what only an earlier one made", () => {
  const memory = new DerivationMemory("/nix/store");
  const earlier = new EvaluationRegistry({ memory });
  const path = formatStorePath(earlier.derive({ ...base, name: "earlier" }).outputs.get("out")!);
  const later = new EvaluationRegistry({ memory });
  assert.throws(() => later.derive({ ...base, name: "later", input: path }), { code: "package.unknown-store-path" });
});
