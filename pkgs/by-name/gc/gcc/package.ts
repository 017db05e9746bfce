import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

const compiler = {
  args: ["--sysroot=$out", "-B$out/bin/", "-Wl,--dynamic-linker=$out/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "-Wl,-rpath,$out/lib/x86_64-linux-gnu"],
} as const;

export default defineSeedPackage({
  pname: "gcc",
  description: "compilers for C and C++ of the GNU project",
  homepage: "https://gcc.gnu.org/",
  license: "GPL-3.0-or-later WITH GCC-exception-3.1",
  mainProgram: "gcc",
  seeds: ["gcc", "g++", "cpp", "binutils", "libc6-dev"],
  // What it links finds the C library through the run path of the library that needs it.
  patchLibraries: true,
  // The compiler takes the tree for its whole system, and what it makes runs with the tree's C library.
  links: { usr: ".", "bin/cc": "gcc", "bin/c++": "g++" },
  remove: ["usr/lib/gcc/*/*/lib*san*", "usr/lib/x86_64-linux-gnu/lib*san.so*"],
  wrappers: { "bin/gcc": compiler, "bin/g++": compiler, "bin/cpp": { args: ["--sysroot=$out"] } },
  test: ({ self }) => `
    echo '#include <stdio.h>
    int main(void) { puts("hello from gcc"); return 0; }' > main.c
    ${self}/bin/gcc -O2 main.c -o main
    ./main > $out
    echo '#include <iostream>
    int main() { std::cout << "hello from g++\\n"; }' > main.cc
    ${self}/bin/g++ main.cc -o main
    ./main >> $out
  `,
});
