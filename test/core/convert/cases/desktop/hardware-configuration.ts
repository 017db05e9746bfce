// Do not modify this file!
import { lib, type NixosModule } from "tsos";

const hardwareConfiguration: NixosModule = ({ config, modulesPath }) => ({
  imports: [`${modulesPath}/installer/scan/not-detected.nix`],

  boot: {
    initrd: { availableKernelModules: ["xhci_pci", "nvme"] },
    kernelModules: ["kvm-intel"],
    loader: { grub: { enable: false } },
  },

  fileSystems: { "/": { device: "/dev/disk/by-uuid/00000000-0000-0000-0000-000000000000", fsType: "ext4" } },

  swapDevices: [],
  nixpkgs: { hostPlatform: lib.mkDefault("x86_64-linux") },
  hardware: {
    cpu: { intel: { updateMicrocode: lib.mkDefault(config.hardware.enableRedistributableFirmware) } },
  },
});

export default hardwareConfiguration;
