import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "fd",
  description: "finds files by name, simply",
  homepage: "https://github.com/sharkdp/fd",
  license: "MIT OR Apache-2.0",
  mainProgram: "fd",
  links: { "bin/fd": "fdfind" },
});
