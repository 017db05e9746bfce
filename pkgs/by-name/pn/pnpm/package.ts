import { definePackage } from "../../../../core/index.ts";
import { npmSeed } from "../../../seeds/seeds.ts";

export default definePackage({
  pname: "pnpm",
  version: npmSeed("pnpm").version,
  description: "package manager for JavaScript that links from one store",
  homepage: "https://pnpm.io/",
  license: "MIT",
  mainProgram: "pnpm",
  build: ({ pname, version, npmPackage }) => npmPackage({ pname, version, seed: "pnpm" }),
  test: ({ self, runCommand }) => runCommand("pnpm-test", {}, `HOME=$PWD ${self}/bin/pnpm --version > $out`),
  update: { kind: "npm", package: "pnpm" },
});
