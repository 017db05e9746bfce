import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

export default definePackage({
  pname: "jq",
  version: sourceVersion("jq"),
  description: "takes JSON apart and puts it together, on the command line",
  homepage: "https://jqlang.org/",
  license: "MIT",
  mainProgram: "jq",
  build: ({ pname, version, mkDerivation, fetchSource, oniguruma }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource(pname),
      buildInputs: [oniguruma],
      // The archive has no configure, and its version comes from git.
      preConfigure: `
        printf '#!/bin/sh\\nprintf ${version}\\n' > scripts/version
        chmod +x scripts/version
        autoreconf --install
      `,
      configureFlags: ["--disable-docs", "--disable-maintainer-mode", `--with-oniguruma=${oniguruma}`],
    }),
  test: ({ self, runCommand }) => runCommand("jq-test", {}, `echo '{"a":[1,2,{"b":42}]}' | ${self}/bin/jq '.a[2].b, ("x1" | test("[0-9]"))' > $out; grep 42 $out && grep true $out`),
  update: { kind: "debian-source", package: "jq" },
});
