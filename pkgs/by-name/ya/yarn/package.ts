import { definePackage } from "../../../../core/index.ts";
import { npmSeed } from "../../../seeds/seeds.ts";

export default definePackage({
  pname: "yarn",
  version: npmSeed("yarn").version,
  description: "package manager for JavaScript, the first line of Yarn",
  homepage: "https://classic.yarnpkg.com/",
  license: "BSD-2-Clause",
  mainProgram: "yarn",
  build: ({ pname, version, npmPackage }) => npmPackage({ pname, version, seed: "yarn" }),
  test: ({ self, runCommand }) => runCommand("yarn-test", {}, `HOME=$PWD ${self}/bin/yarn --version > $out`),
  update: { kind: "npm", package: "yarn" },
});
