import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "zstd",
  description: "fast compression program",
  homepage: "https://facebook.github.io/zstd/",
  license: "BSD-3-Clause",
  mainProgram: "zstd",
});
