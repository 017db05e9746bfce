import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "openssl",
  description: "tools and libraries for TLS and cryptography",
  homepage: "https://www.openssl.org/",
  license: "Apache-2.0",
  mainProgram: "openssl",
  seeds: ["openssl", "libssl-dev"],
  patchLibraries: true,
  test: ({ self }) => `${self}/bin/openssl version > $out && echo hello | ${self}/bin/openssl dgst -sha256`,
});
