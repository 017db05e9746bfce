import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "unzip",
  description: "unpacks zip archives",
  homepage: "https://infozip.sourceforge.net/",
  license: "Info-ZIP",
  mainProgram: "unzip",
  test: ({ self }) => `${self}/bin/unzip -v > $out`,
});
