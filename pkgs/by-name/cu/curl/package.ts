import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "curl",
  description: "transfers data by URL",
  homepage: "https://curl.se/",
  license: "curl",
  mainProgram: "curl",
  seeds: ["curl"],
  wrappers: ({ cacert }) => ({ "bin/curl": { defaults: { CURL_CA_BUNDLE: `${cacert}/etc/ssl/certs/ca-bundle.crt` } } }),
});
