// A machine with a module of its own.
import { defineInputs, defineNixosSystem, github, type NixosModule } from "tsos";
import backup from "./backup.ts";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = () => ({
  imports: [backup],
  boot: { loader: { grub: { enable: false } } },
  fileSystems: { "/": { device: "/dev/sda1", fsType: "ext4" } },
  backup: { enable: true, folders: ["/srv", "/home"] },
  system: { stateVersion: "26.05" },
});

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
