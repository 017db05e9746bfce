import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "findutils",
  description: "find, xargs and locate of the GNU project",
  homepage: "https://www.gnu.org/software/findutils/",
  license: "GPL-3.0-or-later",
  mainProgram: "find",
});
