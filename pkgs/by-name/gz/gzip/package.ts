import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gzip",
  description: "compression program of the GNU project",
  homepage: "https://www.gnu.org/software/gzip/",
  license: "GPL-3.0-or-later",
  mainProgram: "gzip",
  test: ({ self }) => `echo hello | ${self}/bin/gzip | ${self}/bin/gzip -d > $out`,
});
