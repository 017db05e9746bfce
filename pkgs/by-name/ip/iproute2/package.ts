import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "iproute2",
  description: "tools for the network: ip, ss, tc",
  homepage: "https://wiki.linuxfoundation.org/networking/iproute2",
  license: "GPL-2.0-or-later",
  mainProgram: "ip",
  test: ({ self }) => `${self}/bin/ip -V > $out`,
});
