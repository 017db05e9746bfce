import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gnutar",
  description: "tar of the GNU project",
  homepage: "https://www.gnu.org/software/tar/",
  license: "GPL-3.0-or-later",
  mainProgram: "tar",
  seeds: ["tar"],
});
