import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "pcre2",
  version: sourceVersion("pcre2"),
  description: "library of Perl's regular expressions, for texts of bytes",
  homepage: "https://www.pcre.org/",
  license: "BSD-3-Clause",
  build: ({ pname, version, mkDerivation, fetchSource }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource(pname),
      outputs: ["out", "dev"],
      configureFlags: ["--enable-jit"],
      // The library alone: its programs and the POSIX interface double the time and nobody here uses them.
      makeFlags: ["lib_LTLIBRARIES=libpcre2-8.la"],
      buildFlags: ["libpcre2-8.la"],
      installTargets: "install-libLTLIBRARIES install-nodist_includeHEADERS install-pkgconfigDATA",
      postInstall: `rm -f "$outputLib"/lib/pkgconfig/libpcre2-posix.pc`,
    }),
  test: ({ self, runCommand }) => runCommand("pcre2-test", {}, `test -e ${self}/lib/libpcre2-8.so.0 && grep -q 'Version: ${self.version}' ${self.dev}/lib/pkgconfig/libpcre2-8.pc && echo ok > $out`),
  update: { kind: "debian-source", package: "pcre2" },
});
