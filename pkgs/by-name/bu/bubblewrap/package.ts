import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "bubblewrap",
  description: "runs a program in namespaces of its own",
  homepage: "https://github.com/containers/bubblewrap",
  license: "LGPL-2.0-or-later",
  mainProgram: "bwrap",
});
