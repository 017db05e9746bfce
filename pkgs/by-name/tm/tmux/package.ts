import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "tmux",
  description: "terminal multiplexer",
  homepage: "https://github.com/tmux/tmux/wiki",
  license: "ISC",
  mainProgram: "tmux",
  wrappers: { "bin/tmux": { defaults: { TERMINFO_DIRS: "$out/share/terminfo:$out/lib/terminfo:/etc/terminfo:/lib/terminfo:/usr/share/terminfo" } } },
  // Its locale is where the C library was built to look for it.
  testOnBuildRoot: true,
  test: ({ self }) => `LC_ALL=C.UTF-8 ${self}/bin/tmux -V > $out`,
});
