/** What the type checker must accept and refuse of options that moved; `tsc` is the test. */
import { defineSystem, lib } from "tsos";
import type { Config, OptionAt } from "tsos";

// Old names have the types of the new ones.
const renamedName = lib.mkRenamedOptionModule(["oldTypeTest", "ports"], ["typeTest", "ports"]);
const aliasName = lib.mkAliasOptionModule(["oldTypeTest", "hosts"], ["typeTest", "hosts"]);
const removedName = lib.mkRemovedOptionModule(["oldTypeTest", "gone"], "use typeTest.enable instead");
const changedName = lib.mkChangedOptionModule(["oldTypeTest", "seconds"], ["typeTest", "pair"], (config) => Number(config.oldTypeTest.seconds) * (config.typeTest.enable ? 1000 : 1));
const mergedName = lib.mkMergedOptionModule([["oldTypeTest", "a"], ["oldTypeTest", "b"]], ["typeTest", "pair"], (config) => `${String(config.oldTypeTest.a)}${String(config.oldTypeTest.b)}`);
declare module "tsos" {
  interface OptionModules {
    "test/old-renamed": typeof renamedName;
    "test/old-alias": typeof aliasName;
    "test/old-removed": typeof removedName;
    "test/old-changed": typeof changedName;
    "test/old-merged": typeof mergedName;
    "test/old-by-hand": { typeTest: { /** @deprecated It is `typeTest.mode`. */ oldMode: OptionAt<["typeTest", "mode"]> } };
  }
}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Same<A, B>): void {}
declare const config: Config;

same<typeof config.oldTypeTest.ports, readonly number[]>(true);
same<typeof config.typeTest.oldMode, "fast" | "slow">(true);
defineSystem(({ config }) => ({
  oldTypeTest: { ports: [80], hosts: { x: { port: 81 } }, seconds: 5, a: "x", b: config.oldTypeTest.hosts["x"]?.port },
  typeTest: { oldMode: "slow" },
}));
defineSystem(() => ({
  // @ts-expect-error of the type of the new name
  oldTypeTest: { ports: ["80"] },
}));
defineSystem(() => ({
  // @ts-expect-error a name that is gone
  oldTypeTest: { gone: true },
}));
defineSystem(() => ({
  // @ts-expect-error a typo in an old name
  oldTypeTest: { portz: [80] },
}));
