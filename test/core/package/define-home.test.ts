import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defineHome, isHomeConfiguration, type HomeDefinition } from "../../../core/package/define-home.ts";
import type { Input } from "../../../core/package/input.ts";

const nixpkgs = { kind: "input", name: "nixpkgs" } as unknown as Input;
const homeManager = { kind: "input", name: "homeManager" } as unknown as Input;

const refused = (definition: unknown, message: RegExp): void => {
  assert.throws(() => defineHome(definition as HomeDefinition), { code: "home.bad-definition", message });
};

describe("defineHome", () => {
  test("takes two inputs and modules", () => {
    const module = (): object => ({});
    const home = defineHome({ nixpkgs, homeManager, modules: [module, {}] });
    assert.deepEqual(home, { kind: "home-config", nixpkgs, homeManager, modules: [module, {}], extraSpecialArgs: {} });
    assert.equal(isHomeConfiguration(home), true);
  });

  test("refuses what is no input, no module and no part of it", () => {
    refused(undefined, /takes an object/);
    refused({ homeManager, modules: [] }, /"nixpkgs" must be an input/);
    refused({ nixpkgs, homeManager: "github:nix-community/home-manager", modules: [] }, /"homeManager" must be an input/);
    refused({ nixpkgs, homeManager, modules: {} }, /"modules" must be a list/);
    refused({ nixpkgs, homeManager, modules: ["./x.nix"] }, /modules\[0\] is the string "\.\/x\.nix"/);
    refused({ nixpkgs, homeManager, modules: [], pkgs: {} }, /does not take "pkgs"/);
  });
});
