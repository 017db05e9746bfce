import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "redis",
  description: "database in memory",
  homepage: "https://redis.io/",
  license: "AGPL-3.0-only",
  mainProgram: "redis-server",
});
