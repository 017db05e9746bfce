import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "nano",
  description: "small editor of the GNU project",
  homepage: "https://www.nano-editor.org/",
  license: "GPL-3.0-or-later",
  mainProgram: "nano",
});
