import assert from "node:assert/strict";
import { test } from "node:test";
import { convertProject } from "../../../core/convert/convert-project.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";

function refused(text: string): TsosError {
  try {
    convertProject({ file: "/p/flake.nix", nixpkgs: "nixos-26.05", source: { kind: (path) => (path === "/p/flake.nix" ? "file" : undefined), read: () => text } });
  } catch (error) {
    assert.ok(error instanceof TsosError, String(error));
    return error;
  }
  assert.fail("a flake was converted");
}

test("names the modules of a flake's machines, which can be converted", () => {
  const error = refused(`{
    inputs.nixpkgs.url = "github:NixOS/nixpkgs";
    outputs = { self, nixpkgs, ... }@inputs: let system = "x86_64-linux"; in {
      nixosConfigurations.web = nixpkgs.lib.nixosSystem { inherit system; specialArgs = { inherit inputs; }; modules = [ ./hosts/web.nix inputs.disko.nixosModules.disko { a = 1; } ]; };
      nixosConfigurations."db" = nixpkgs.lib.nixosSystem { modules = [ ./hosts/db.nix ./hosts/web.nix ]; };
    };
  }`);
  assert.equal(error.code, "convert.flake");
  assert.deepEqual(error.data["modules"], ["./hosts/web.nix", "./hosts/db.nix"]);
  assert.match(error.hint ?? "", /^tsos nix convert hosts\/web\.nix \(its machines have \.\/hosts\/web\.nix, \.\/hosts\/db\.nix\); inputs and specialArgs/);
});

test("names none where a flake lists none by their paths", () => {
  const error = refused("{ outputs = { self }: { packages = { }; }; }");
  assert.deepEqual([error.code, error.data["modules"]], ["convert.flake", []]);
  assert.match(error.hint ?? "", /^tsos nix convert configuration\.nix/);
});
