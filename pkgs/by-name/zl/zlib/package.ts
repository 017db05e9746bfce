import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "zlib",
  version: sourceVersion("zlib"),
  description: "library that compresses in the deflate format",
  homepage: "https://zlib.net/",
  license: "Zlib",
  build: ({ pname, version, mkDerivation, fetchSource }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource(pname),
      outputs: ["out", "dev"],
      // Its configure is not autoconf's and knows few flags, and its Makefile cannot do without the static library.
      preConfigure: `configureFlags=("--shared" "--includedir=$outputDev/include")`,
      buildFlags: [`libz.so.${version}`],
      installPhase: `
        mkdir -p "$outputLib/lib" "$outputDev/include" "$outputDev/lib/pkgconfig"
        cp -P libz.so* "$outputLib/lib"
        cp zlib.h zconf.h "$outputDev/include"
        cp zlib.pc "$outputDev/lib/pkgconfig"
      `,
    }),
  test: ({ self, runCommand }) => runCommand("zlib-test", {}, `test -e ${self}/lib/libz.so.1 && test -e ${self.dev}/include/zlib.h && grep -q ${self.version} ${self.dev}/lib/pkgconfig/zlib.pc && echo ok > $out`),
  update: { kind: "debian-source", package: "zlib" },
});
