import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "hello",
  version: sourceVersion("hello"),
  description: "program that prints a friendly greeting",
  homepage: "https://www.gnu.org/software/hello/",
  license: "GPL-3.0-or-later",
  mainProgram: "hello",
  build: ({ pname, version, mkDerivation, fetchSource }) =>
    mkDerivation({ pname, version, src: fetchSource(pname), configureFlags: ["--disable-nls"] }),
  test: ({ self, runCommand }) => runCommand("hello-test", {}, `${self}/bin/hello > $out; grep 'Hello, world!' $out`),
  update: { kind: "debian-source", package: "hello" },
});
