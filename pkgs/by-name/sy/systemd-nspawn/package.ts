import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "systemd-nspawn",
  description: "boots a folder as a container",
  homepage: "https://systemd.io/",
  license: "LGPL-2.1-or-later",
  mainProgram: "systemd-nspawn",
  seeds: ["systemd-container"],
});
