import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "coreutils",
  description: "basic file, shell and text tools of the GNU project",
  homepage: "https://www.gnu.org/software/coreutils/",
  license: "GPL-3.0-or-later",
  test: ({ self }) => `${self}/bin/ls --version > $out && ${self}/bin/date --version`,
});
