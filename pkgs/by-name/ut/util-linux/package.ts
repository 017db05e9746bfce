import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "util-linux",
  description: "tools of the Linux system: nsenter, mount, lsblk and others",
  homepage: "https://github.com/util-linux/util-linux",
  license: "GPL-2.0-or-later",
  mainProgram: "nsenter",
  seeds: ["util-linux", "mount"],
});
