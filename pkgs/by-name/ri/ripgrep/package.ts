import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "ripgrep",
  description: "searches folders for a pattern, fast",
  homepage: "https://github.com/BurntSushi/ripgrep",
  license: "MIT OR Unlicense",
  mainProgram: "rg",
  test: ({ self }) => `echo needle > hay && ${self}/bin/rg needle . > $out`,
});
