import { defineInputs, defineNixosSystem, github, lib, type NixosModule } from "tsos";
import network from "./network.ts";
import services from "./services/default.ts";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = ({ config }) => ({
  imports: [
    network, // the name
    services,
    () => ({ environment: { text: lib.mkOrder(1600, ["last"]) } }),
  ],
  environment: { text: [config.networking.hostName] },
});

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
