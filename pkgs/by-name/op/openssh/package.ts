import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "openssh",
  description: "client of the SSH protocol and its tools for keys",
  homepage: "https://www.openssh.com/",
  license: "SSH-OpenSSH",
  mainProgram: "ssh",
  test: ({ self }) => `${self}/bin/ssh -V 2> $out && ${self}/bin/ssh-keygen -t ed25519 -N '' -f key`,
});
