import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "diffutils",
  description: "diff, cmp and diff3 of the GNU project",
  homepage: "https://www.gnu.org/software/diffutils/",
  license: "GPL-3.0-or-later",
  mainProgram: "diff",
});
