import { definePackage } from "../../core/index.ts";
import { seedVersion } from "../build-support/seed-version.ts";

/** What every result of a build from source stands on. */
export const glibc = definePackage({
  pname: "glibc",
  version: seedVersion("libc6"),
  description: "GNU C library, its linker and the compiler's run-time libraries",
  homepage: "https://www.gnu.org/software/libc/",
  license: "LGPL-2.1-or-later",
  build: ({ pname, version, seedPackage }) => seedPackage({ pname, version, seeds: ["libc6", "libgcc-s1", "libstdc++6", "libcrypt1"], patchLibraries: true }),
  update: { kind: "debian", package: "libc6" },
});
