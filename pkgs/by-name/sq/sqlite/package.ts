import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "sqlite",
  description: "relational database in one file",
  homepage: "https://www.sqlite.org/",
  license: "blessing",
  mainProgram: "sqlite3",
  seeds: ["sqlite3"],
  test: ({ self }) => `${self}/bin/sqlite3 :memory: 'select 6 * 7' > $out`,
});
