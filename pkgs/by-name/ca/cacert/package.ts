import { definePackage } from "../../../../core/index.ts";
import { seedVersion } from "../../../build-support/seed-version.ts";
import { getSeed } from "../../../seeds/seeds.ts";

export default definePackage({
  pname: "cacert",
  version: seedVersion("ca-certificates"),
  description: "certificates of the authorities that Mozilla trusts",
  homepage: "https://wiki.mozilla.org/CA",
  license: "MPL-2.0",
  build: ({ pname, version, runCommand, unpackSeed }) =>
    runCommand(`${pname}-${version}`, {}, `
      mkdir -p $out/etc/ssl/certs
      for certificate in ${unpackSeed(getSeed("ca-certificates"))}/usr/share/ca-certificates/mozilla/*.crt; do
        cat "$certificate"
        echo
      done > $out/etc/ssl/certs/ca-bundle.crt
      ln -s ca-bundle.crt $out/etc/ssl/certs/ca-certificates.crt
    `),
  test: ({ self, runCommand }) => runCommand("cacert-test", {}, `[ $(grep -c 'BEGIN CERTIFICATE' ${self}/etc/ssl/certs/ca-bundle.crt) -gt 100 ] && echo ok > $out`),
  update: { kind: "debian", package: "ca-certificates" },
});
