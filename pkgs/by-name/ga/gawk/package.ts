import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gawk",
  description: "awk of the GNU project",
  homepage: "https://www.gnu.org/software/gawk/",
  license: "GPL-3.0-or-later",
  mainProgram: "gawk",
  links: { "bin/awk": "gawk" },
  test: ({ self }) => `${self}/bin/awk 'BEGIN { print 6 * 7 }' > $out`,
});
