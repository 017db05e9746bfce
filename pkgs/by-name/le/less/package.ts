import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "less",
  description: "shows text a page at a time",
  homepage: "https://www.greenwoodsoftware.com/less/",
  license: "GPL-3.0-or-later OR BSD-2-Clause",
  mainProgram: "less",
});
