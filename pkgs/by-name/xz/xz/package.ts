import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "xz",
  description: "compression program for the xz and lzma formats",
  homepage: "https://tukaani.org/xz/",
  license: "0BSD",
  mainProgram: "xz",
  seeds: ["xz-utils"],
  test: ({ self }) => `echo hello | ${self}/bin/xz | ${self}/bin/xz -d > $out`,
});
