import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "file",
  description: "tells what a file is",
  homepage: "https://darwinsys.com/file/",
  license: "BSD-2-Clause",
  mainProgram: "file",
  wrappers: { "bin/file": { defaults: { MAGIC: "$out/lib/file/magic.mgc" } } },
  test: ({ self }) => `${self}/bin/file ${self}/bin/.file-wrapped > $out`,
});
