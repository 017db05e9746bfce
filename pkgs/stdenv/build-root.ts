import { definePackage } from "../../core/index.ts";
import { seedSet } from "../seeds/seeds.ts";
import { seedVersion } from "../build-support/seed-version.ts";

/** The tree at `/usr` of every build from source: a compiler, GNU's build tools and what they stand on. */
export const buildRoot = definePackage({
  pname: "build-root",
  version: seedVersion("gcc-14"),
  description: "tree of tools that source packages are built on",
  build: ({ pname, version, composeRoot }) =>
    composeRoot({
      name: `${pname}-${version}`,
      packages: [...seedSet("build-root"), "autoconf", "automake", "libtool", "perl"],
      // Debian's alternatives, which its packages set at installation.
      links: {
        "usr/bin/awk": "gawk",
        "usr/bin/cc": "gcc",
        "usr/bin/c++": "g++",
        "usr/bin/sh": "dash",
        "usr/bin/automake": "automake-1.17",
        "usr/bin/aclocal": "aclocal-1.17",
      },
      remove: [
        "usr/share/doc/**", "usr/share/man/**", "usr/share/locale/**", "usr/share/info/**", "usr/share/lintian/**", "usr/share/bug/**",
        "usr/share/gcc/python/**", "usr/share/gdb/**", "usr/share/zsh/**", "usr/share/bash-completion/**",
        // Link-time optimisation's and sanitizers' own: nothing here uses them.
        "usr/lib/gcc/*/*/lib*san*", "usr/lib/x86_64-linux-gnu/lib*san.so*", "var/**",
      ],
    }),
});
