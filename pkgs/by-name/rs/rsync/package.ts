import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "rsync",
  description: "copies files and only what changed",
  homepage: "https://rsync.samba.org/",
  license: "GPL-3.0-or-later",
  mainProgram: "rsync",
});
