import type { NixosModule } from "tsos";

const printing: NixosModule = ({ pkgs }) => ({
  services: {
    printing: {
      enable: true,
      drivers: [pkgs.gutenprint],
      browsing: false,
    },
    avahi: { enable: true },
  },
});

export default printing;
