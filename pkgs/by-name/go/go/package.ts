import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "go",
  description: "programming language",
  homepage: "https://go.dev/",
  license: "BSD-3-Clause",
  mainProgram: "go",
  versionOf: "golang-1.24-go",
  wrappers: { "bin/go": { defaults: { GOTOOLCHAIN: "local" } } },
  test: ({ self }) => `
    export HOME=$PWD
    echo 'package main
    func main() { println("hello from go") }' > main.go
    CGO_ENABLED=0 ${self}/bin/go run main.go 2> $out
    ${self}/bin/go version
  `,
});
