import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "wget",
  description: "downloads files from the web",
  homepage: "https://www.gnu.org/software/wget/",
  license: "GPL-3.0-or-later",
  mainProgram: "wget",
  seeds: ["wget"],
  wrappers: ({ cacert }) => ({ "bin/wget": { args: [`--ca-certificate=${cacert}/etc/ssl/certs/ca-bundle.crt`] } }),
});
