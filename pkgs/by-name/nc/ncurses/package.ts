import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "ncurses",
  version: sourceVersion("ncurses"),
  description: "library for programs that draw on terminals, and the descriptions of these",
  homepage: "https://invisible-island.net/ncurses/",
  license: "MIT-open-group",
  mainProgram: "tput",
  build: ({ pname, version, mkDerivation, fetchSource }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource(pname),
      configureFlags: [
        "--with-shared", "--without-normal", "--without-debug", "--without-ada", "--without-manpages", "--without-tests",
        "--without-cxx", "--without-cxx-binding", "--enable-widec", "--enable-pc-files", "--disable-stripping",
        "--with-versioned-syms", "--enable-overwrite",
      ],
      preConfigure: `configureFlags+=("--with-pkg-config-libdir=$outputDev/lib/pkgconfig")`,
      // The wide libraries stand for the narrow ones, and for the one of terminal descriptions alone.
      postInstall: `
        rm "$prefix"/bin/*-config
        for library in ncurses form menu panel; do ln -s lib"$library"w.so "$prefix/lib/lib$library.so"; done
        ln -s libncursesw.so "$prefix/lib/libtinfo.so"
      `,
    }),
  test: ({ self, runCommand }) => runCommand("ncurses-test", {}, `${self}/bin/tput -T xterm-256color colors > $out; grep 256 $out`),
  update: { kind: "debian-source", package: "ncurses" },
});
