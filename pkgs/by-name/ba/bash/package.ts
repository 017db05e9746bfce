import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "bash",
  description: "shell of the GNU project",
  homepage: "https://www.gnu.org/software/bash/",
  license: "GPL-3.0-or-later",
  mainProgram: "bash",
  passthru: { shellPath: "/bin/bash" },
  links: { "bin/sh": "bash" },
  remove: ["usr/share/doc", "usr/share/man"],
  test: ({ self }) => `${self}/bin/sh -c 'echo $BASH_VERSION' > $out`,
});
