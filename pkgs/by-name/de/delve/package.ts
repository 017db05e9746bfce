import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "delve",
  description: "debugger for Go",
  homepage: "https://github.com/go-delve/delve",
  license: "MIT",
  mainProgram: "dlv",
  test: ({ self }) => `HOME=$PWD ${self}/bin/dlv version > $out`,
});
