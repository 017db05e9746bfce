import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defineNixosSystem, type NixosSystemDefinition } from "../../../core/package/define-nixos-system.ts";
import type { Input } from "../../../core/package/input.ts";

const nixpkgs = { kind: "input", name: "nixpkgs" } as unknown as Input;

const refused = (definition: unknown, message: RegExp): void => {
  assert.throws(() => defineNixosSystem(definition as NixosSystemDefinition), { code: "nixos.bad-definition", message });
};

describe("defineNixosSystem", () => {
  test("takes an input and modules", () => {
    const module = (): object => ({});
    assert.deepEqual(defineNixosSystem({ nixpkgs, modules: [module, {}] }), { kind: "nixos-config", nixpkgs, modules: [module, {}], specialArgs: {} });
  });

  test("refuses what is no input, no module and no part of it", () => {
    refused(undefined, /takes an object/);
    refused({ nixpkgs: "github:NixOS\/nixpkgs", modules: [] }, /"nixpkgs" must be an input/);
    refused({ nixpkgs, modules: {} }, /"modules" must be a list/);
    refused({ nixpkgs, modules: ["./x.nix"] }, /modules\[0\] is the string "\.\/x\.nix"/);
    refused({ nixpkgs, modules: [], networking: {} }, /does not take "networking"/);
  });
});
