import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gnused",
  description: "stream editor of the GNU project",
  homepage: "https://www.gnu.org/software/sed/",
  license: "GPL-3.0-or-later",
  mainProgram: "sed",
  seeds: ["sed"],
});
