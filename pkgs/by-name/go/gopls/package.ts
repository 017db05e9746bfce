import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "gopls",
  description: "language server for Go",
  homepage: "https://go.dev/gopls/",
  license: "BSD-3-Clause",
  mainProgram: "gopls",
  test: ({ self }) => `HOME=$PWD ${self}/bin/gopls version > $out`,
});
