import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "neovim",
  description: "editor that is extended in Lua",
  homepage: "https://neovim.io/",
  license: "Apache-2.0",
  mainProgram: "nvim",
  test: ({ self }) => `HOME=$PWD ${self}/bin/nvim --headless -u NONE -c 'call writefile([$VIMRUNTIME, string(6 * 7)], "result")' -c q && cp result $out`,
});
