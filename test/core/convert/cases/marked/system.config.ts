import { defineInputs, defineNixosSystem, github, nixExpression, type NixosModule } from "tsos";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = ({ pkgs, lib }) => ({
  environment: {
    // a number that TypeScript cannot tell from 1
    text: [
      // Not converted: a whole number that is no integer. In Nix:
      //   1.0
      lib.toJSON(nixExpression("1.0")),
      // Not converted: "baseNameOf" is a function that only the Nix language has. In Nix:
      //   builtins.baseNameOf "/a/${pkgs.hello.name}"
      nixExpression(`{ pkgs }: builtins.baseNameOf "/a/\${pkgs.hello.name}"`)({ pkgs }),
    ],
  },
});

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
