import assert from "node:assert/strict";
import { test } from "node:test";
import { lib } from "../../../core/index.ts";
import { evaluateSystem, problemsOf, readTree } from "../evaluate-system.ts";

const manifestOf = (system: ReturnType<typeof evaluateSystem>, toplevel: string): { readonly hostName: string; readonly label: string } => {
  const entry = readTree(system.registry, toplevel).get("manifest.json");
  assert.ok(entry?.kind === "file");
  return JSON.parse(entry.contents) as { readonly hostName: string; readonly label: string };
};

const variantOf = (system: ReturnType<typeof evaluateSystem>, name: string): string => {
  const entry = readTree(system.registry, String(system.config.system.build.toplevel)).get(`specialisation/${name}`);
  assert.ok(entry?.kind === "symlink", `there is no specialisation/${name}`);
  return entry.target;
};

test("a toplevel holds the toplevels of its variants", () => {
  const system = evaluateSystem({
    networking: { hostName: "box" },
    system: { label: "plain" },
    specialisation: {
      quiet: { configuration: { system: { label: lib.mkForce("quiet") } } },
      counted: { configuration: ({ config }) => ({ system: { label: lib.mkForce(`of-${config.networking.hostName}`) } }) },
    },
  });
  assert.deepEqual(manifestOf(system, String(system.config.system.build.toplevel)), { ...system.manifest, label: "plain" });
  assert.deepEqual([manifestOf(system, variantOf(system, "quiet")).label, manifestOf(system, variantOf(system, "quiet")).hostName], ["quiet", "box"]);
  assert.equal(manifestOf(system, variantOf(system, "counted")).label, "of-box");
  assert.equal(readTree(system.registry, variantOf(system, "quiet")).has("specialisation/quiet"), false);
});

test("a variant without its parent's configuration has only its own", () => {
  const system = evaluateSystem({
    networking: { hostName: "box" },
    specialisation: { bare: { inheritParentConfig: false, configuration: { system: { stateVersion: "26.11", label: "bare" } } } },
  });
  const manifest = manifestOf(system, variantOf(system, "bare"));
  assert.deepEqual([manifest.hostName, manifest.label], ["tsos", "bare"]);
});

test("definitions of one variant in several modules are one variant", () => {
  const system = evaluateSystem({
    specialisation: { both: { configuration: lib.mkMerge([{ networking: { hostName: "both" } }, { system: { label: "two" } }]) } },
  });
  const manifest = manifestOf(system, variantOf(system, "both"));
  assert.deepEqual([manifest.hostName, manifest.label], ["both", "two"]);
});

test("what is wrong with a variant says which variant", () => {
  assert.match(problemsOf({ specialisation: { "a/b": {} } }).join(), /the specialisation "a\/b" needs another name/);
  assert.match(problemsOf({ specialisation: { x: { configuration: { assertions: [{ assertion: false, message: "no" }] } } } }).join(), /specialisation "x": no/);
  assert.match(problemsOf({ specialisation: { x: { configuration: { networking: { hostNam: "x" } } as never } } }).join(), /"networking\.hostNam" does not exist/);
});

test("the machine to try out is the configuration, or a variant of it that wins over forced values", () => {
  const plain = evaluateSystem({ networking: { hostName: "box" } });
  assert.equal(plain.config.system.build.vm, null);
  const system = evaluateSystem({
    networking: { hostName: lib.mkForce("box") },
    virtualisation: { vmVariant: { networking: { hostName: lib.mkVMOverride("trial") } } },
  });
  assert.equal(system.manifest.hostName, "box");
  assert.equal(manifestOf(system, String(system.config.system.build.vm)).hostName, "trial");
});
