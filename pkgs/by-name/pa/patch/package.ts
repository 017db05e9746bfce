import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "patch",
  description: "applies differences to files",
  homepage: "https://savannah.gnu.org/projects/patch/",
  license: "GPL-3.0-or-later",
  mainProgram: "patch",
});
