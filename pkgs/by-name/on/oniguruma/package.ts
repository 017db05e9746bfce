import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "oniguruma",
  version: sourceVersion("libonig"),
  description: "library of regular expressions for many encodings",
  homepage: "https://github.com/kkos/oniguruma",
  license: "BSD-2-Clause",
  build: ({ pname, version, mkDerivation, fetchSource }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource("libonig"),
      preConfigure: "autoreconf --install",
      // Neither its tests nor its samples.
      makeFlags: ["SUBDIRS=src"],
      postInstall: `rm "$prefix"/bin/onig-config && rmdir "$prefix/bin"`,
    }),
  test: ({ self, runCommand }) => runCommand("oniguruma-test", {}, `test -e ${self}/lib/libonig.so.5 && echo ok > $out`),
  update: { kind: "debian-source", package: "libonig" },
});
