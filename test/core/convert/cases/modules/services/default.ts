import { lib, type NixosModule } from "tsos";

const services: NixosModule = ({ config, pkgs }) => ({
  services: { web: { enable: lib.mkDefault(true) } },
  environment: {
    text: lib.mkMerge([["always"], lib.mkIf(config.services.web.enable, [`web ${pkgs.hello}`])]),
  },
});

export default services;
