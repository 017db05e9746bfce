import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "htop",
  version: sourceVersion("htop"),
  description: "interactive viewer of processes",
  homepage: "https://htop.dev/",
  license: "GPL-2.0-or-later",
  mainProgram: "htop",
  build: ({ pname, version, mkDerivation, fetchSource, ncurses }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource(pname),
      buildInputs: [ncurses],
      preConfigure: "autoreconf --install",
      configureFlags: ["--enable-unicode", "--disable-sensors", "--disable-capabilities", "--disable-delayacct"],
    }),
  test: ({ self, runCommand }) => runCommand("htop-test", {}, `${self}/bin/htop --version > $out; grep ${self.version} $out`),
  update: { kind: "debian-source", package: "htop" },
});
