import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "tree",
  description: "lists folders as a tree",
  homepage: "https://oldmanprogrammer.net/source.php?dir=projects/tree",
  license: "GPL-2.0-or-later",
  mainProgram: "tree",
});
