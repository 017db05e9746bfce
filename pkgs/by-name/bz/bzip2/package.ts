import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "bzip2",
  description: "compression program by block sorting",
  homepage: "https://sourceware.org/bzip2/",
  license: "bzip2-1.0.6",
  mainProgram: "bzip2",
  test: ({ self }) => `echo hello | ${self}/bin/bzip2 | ${self}/bin/bzip2 -d > $out`,
});
