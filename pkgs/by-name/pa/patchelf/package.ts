import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "patchelf",
  description: "changes the interpreter and the run path of programs",
  homepage: "https://github.com/NixOS/patchelf",
  license: "GPL-3.0-or-later",
  mainProgram: "patchelf",
});
