import { definePackage } from "../../../../core/index.ts";
import { seedVersion } from "../../../build-support/seed-version.ts";

/** Without the C library, so that programs built from source take theirs from `glibc` alone. */
export default definePackage({
  pname: "openssl-libraries",
  version: seedVersion("libssl-dev"),
  description: "libraries and headers for TLS and cryptography, for programs built from source",
  homepage: "https://www.openssl.org/",
  license: "Apache-2.0",
  build: ({ pname, version, seedPackage }) =>
    seedPackage({ pname, version, seeds: ["libssl-dev"], exclude: ["libc6"], remove: ["usr/share/man", "usr/lib/x86_64-linux-gnu/*.a"], patchLibraries: true }),
  test: ({ self, runCommand }) => runCommand("openssl-libraries-test", {}, `test -e ${self}/lib/x86_64-linux-gnu/libssl.so.3 && test -e ${self}/include/openssl/ssl.h && echo ok > $out`),
  update: { kind: "debian", package: "libssl-dev" },
});
