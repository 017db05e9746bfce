import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "procps",
  description: "tools for processes: ps, top, free, sysctl",
  homepage: "https://gitlab.com/procps-ng/procps",
  license: "GPL-2.0-or-later",
  mainProgram: "ps",
});
