import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gnumake",
  description: "make of the GNU project",
  homepage: "https://www.gnu.org/software/make/",
  license: "GPL-3.0-or-later",
  mainProgram: "make",
});
