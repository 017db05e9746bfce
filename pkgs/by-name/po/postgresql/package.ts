import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "postgresql",
  description: "relational database",
  homepage: "https://www.postgresql.org/",
  license: "PostgreSQL",
  mainProgram: "psql",
  linkFolders: ["lib/postgresql/17/bin"],
  versionOf: "postgresql-17",
  // The server starts its own programs through /bin/sh.
  testOnBuildRoot: true,
  test: ({ self }) => `
    ${self}/bin/initdb --no-locale --auth=trust --pgdata=$PWD/data
    ${self}/bin/postgres --single -D $PWD/data postgres <<< 'select 6 * 7 as answer' > $out
    ${self}/bin/psql --version
  `,
});
