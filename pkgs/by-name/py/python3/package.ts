import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "python3",
  description: "programming language",
  homepage: "https://www.python.org/",
  license: "Python-2.0",
  mainProgram: "python3",
  remove: ["usr/share/doc", "usr/share/man"],
  test: ({ self }) => `${self}/bin/python3 -c 'import ssl, sqlite3, json, ctypes; print(json.dumps(ssl.OPENSSL_VERSION))' > $out`,
});
