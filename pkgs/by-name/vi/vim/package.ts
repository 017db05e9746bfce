import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "vim",
  description: "editor, the improved vi",
  homepage: "https://www.vim.org/",
  license: "Vim",
  mainProgram: "vim",
  links: { "bin/vim": "vim.basic" },
  wrappers: { "bin/vim.basic": { defaults: { VIM: "$out/share/vim", VIMRUNTIME: "$out/share/vim/vim91" } } },
});
