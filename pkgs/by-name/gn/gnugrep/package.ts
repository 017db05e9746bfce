import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gnugrep",
  description: "searches text by regular expressions",
  homepage: "https://www.gnu.org/software/grep/",
  license: "GPL-3.0-or-later",
  mainProgram: "grep",
  seeds: ["grep"],
  test: ({ self }) => `echo abc | ${self}/bin/grep -P 'b(?=c)' > $out`,
});
