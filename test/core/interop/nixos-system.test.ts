import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { lib as tsosLib } from "../../../core/option/lib.ts";
import type { NixosModule, NixosModuleArguments } from "../../../core/package/define-nixos-system.ts";
import { SMALL_NIXOS } from "./small-nixos.ts";
import { openSystemTrial, type SystemTrial } from "./system-trial.ts";

function small(t: TestContext): SystemTrial {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nixos-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(SMALL_NIXOS)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return openSystemTrial(folder);
}

describe("a NixOS system with modules of TypeScript", () => {
  const same = (name: string, typescript: readonly NixosModule[], nix: string): void => {
    test(`is the same with ${name}`, (t) => {
      const { typescript: ours, nix: theirs } = small(t);
      assert.equal(ours(typescript), theirs(nix));
    });
  };

  same("plain definitions", [{ networking: { hostName: "a" }, environment: { text: ["x"] } }], '[ { networking.hostName = "a"; environment.text = [ "x" ]; } ]');
  same("a package in a list", [({ pkgs }) => ({ environment: { text: [pkgs["hello"]] } })], "[ ({ pkgs, ... }: { environment.text = [ pkgs.hello ]; }) ]");
  same("a package in a text", [({ pkgs }) => ({ environment: { text: [`${pkgs["hello"]}/bin/hello`] } })], '[ ({ pkgs, ... }: { environment.text = [ "${pkgs.hello}/bin/hello" ]; }) ]');
  same("a function of the package set", [({ pkgs }) => ({ environment: { text: [`${pkgs["writeText"]("t", `see ${pkgs["hello"]}`)}`] } })], '[ ({ pkgs, ... }: { environment.text = [ "${pkgs.writeText "t" "see ${pkgs.hello}"}" ]; }) ]');
  same("an option that is read", [({ config }) => ({ environment: { text: [`on ${config["networking"].hostName}`] } }), { networking: { hostName: "b" } }], '[ ({ config, ... }: { environment.text = [ "on ${config.networking.hostName}" ]; }) { networking.hostName = "b"; } ]');
  same("an option that it defines itself", [({ config }) => ({ networking: { hostName: "c" }, environment: { text: config["networking"].hostName === "c" ? ["yes"] : ["no"] } })], '[ { networking.hostName = "c"; environment.text = [ "yes" ]; } ]');
  same("a getter", [({ config }) => ({ networking: { hostName: "d" }, environment: { get text() { return [config["networking"].hostName]; } } })], '[ { networking.hostName = "d"; environment.text = [ "d" ]; } ]');
  same("mkIf of nixpkgs' lib", [({ config, lib }) => ({ environment: lib["mkIf"](config["services"].web.enable, { text: ["web"] }) }), { services: { web: { enable: true } } }], '[ { environment.text = [ "web" ]; services.web.enable = true; } ]');
  same("modifiers of tsos's lib", [{ networking: { hostName: tsosLib.mkForce("e") }, environment: { text: tsosLib.mkMerge([["1"], tsosLib.mkIf(false, ["2"]), tsosLib.mkAfter(["3"])]) } }, { networking: { hostName: "f" } }], '[ { networking.hostName = "e"; environment.text = [ "1" "3" ]; } ]');
  same("imports and arguments of modules", [{ imports: [({ utils }: NixosModuleArguments) => ({ environment: { text: [`${utils.double(2)}`] } })] }], '[ ({ utils, ... }: { environment.text = [ (toString (utils.double 2)) ]; }) ]');
  same("a function of lib that needs a package", [({ pkgs, lib }) => ({ networking: { hostName: lib["getName"](pkgs["hello"]) } })], "[ ({ pkgs, lib, ... }: { networking.hostName = lib.getName pkgs.hello; }) ]");
  for (const [what, name, answer] of [["true", "a", "has"], ["false", "b", "lacks"]] as const) {
    same(
      `a condition that a function of lib makes of the configuration, where it is ${what}`,
      [({ config, lib }) => ({ networking: { hostName: lib["elem"](name, config["environment"].text) ? "has" : "lacks" } }), { environment: { text: ["a"] } }],
      `[ { networking.hostName = "${answer}"; environment.text = [ "a" ]; } ]`,
    );
  }
  same("names that a function of lib makes of the configuration", [({ config, lib }) => ({ environment: { text: (lib["attrNames"](config["networking"]) as readonly string[]).map((one) => `<${one}>`) } })], '[ { environment.text = [ "<hostName>" ]; } ]');
  same("a text of the configuration that a function of lib takes", [({ config, lib }) => ({ environment: { text: [lib["concatStringsSep"]("-", ["x", `${config["networking"].hostName}`])] }, networking: { hostName: "g" } })], '[ { environment.text = [ "x-g" ]; networking.hostName = "g"; } ]');
  same("the question whether there is a package", [({ pkgs }) => ({ environment: { text: ["hello" in pkgs ? "yes" : "no", "helo" in pkgs ? "yes" : "no"] } })], '[ { environment.text = [ "yes" "no" ]; } ]');
  same("overlays", [{ nixpkgs: { overlays: [(_: unknown, prev: Readonly<Record<string, unknown>>) => ({ get hello() { return (prev["writeText"] as (name: string, text: string) => unknown)("hi", "hi"); } })] } }, ({ pkgs }) => ({ environment: { text: [`${pkgs["hello"]}`] } })], '[ { nixpkgs.overlays = [ (final: prev: { hello = prev.writeText "hi" "hi"; }) ]; } ({ pkgs, ... }: { environment.text = [ "${pkgs.hello}" ]; }) ]');
  same(
    "a variant in which what was read is another",
    [({ config }) => ({ environment: { text: config["services"].web.enable ? ["web"] : ["none"] }, services: { web: { enable: true } } }), { variants: { off: { services: { web: { enable: tsosLib.mkForce(false) } } } } }],
    '[ ({ config, ... }: { environment.text = if config.services.web.enable then [ "web" ] else [ "none" ]; services.web.enable = true; }) { variants.off.services.web.enable = { _type = "override"; priority = 50; content = false; }; } ]',
  );

  test("takes the configuration and overlays of its input", (t) => {
    const { typescript, nix } = small(t);
    const modules: readonly NixosModule[] = [({ pkgs }) => ({ environment: { text: [pkgs["hello"]] } })];
    assert.equal(typescript(modules, { config: { loud: true } }), nix("[ ({ pkgs, ... }: { nixpkgs.config.loud = true; environment.text = [ pkgs.hello ]; }) ]"));
  });

  test("that does not settle names what flips", (t) => {
    const { typescript } = small(t);
    assert.throws(() => typescript([({ config }) => ({ services: { web: { enable: config["services"].web.enable !== true } } })]), (error) => error instanceof TsosError && error.code === "nix.unsettled" && /config\.services\.web\.enable: (true|false), then (true|false)/.test(error.message));
  });

  test("that reads a name that is not there says the nearest", (t) => {
    const { typescript } = small(t);
    assert.throws(() => typescript([({ config }) => ({ networking: { hostName: config["networking"].hostNam as string } })]), (error) => error instanceof TsosError && error.code === "nix.missing-attribute" && /hostName/.test(error.hint ?? ""));
  });
});
