import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "tzdata",
  description: "time zones of the world",
  homepage: "https://www.iana.org/time-zones",
  license: "LicenseRef-public-domain",
  test: ({ self }) => `test -f ${self}/share/zoneinfo/Europe/Berlin && echo ok > $out`,
});
