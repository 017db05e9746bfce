/** Nix files of a project whose setup does what a standard environment's does, with the machine's own bash. */
export const OWN_STDENV = String.raw`let
  setup = builtins.toFile "setup.sh" ''
    set -e
    set -o pipefail
    shopt -s nullglob
    declare -a preHooks=() envHooks=()
    declare -A seen=() empty
    declare -i counter=3
    export SOURCE_DATE_EPOCH=315532800
    runHook() { local hookName="$1"; if declare -F "$hookName" >/dev/null; then "$hookName"; elif [ -n "''${"$"}{!hookName:-}" ]; then eval "''${"$"}{!hookName}"; fi; }
    exitHandler() { exitCode="$?"; set +e; runHook exitHook; return "$exitCode"; }
    trap "exitHandler" EXIT
    _PATH=
    for i in $buildInputs; do
      seen["$i"]=1
      envHooks+=("$i")
      _PATH="''${"$"}{_PATH:+$_PATH:}$i/bin"
      if [ -e "$i/nix-support/setup-hook" ]; then source "$i/nix-support/setup-hook"; fi
    done
    PATH="''${"$"}{_PATH}''${"$"}{_PATH:+:}/usr/bin:/bin"
    export PATH
    export XDG_DATA_DIRS=/from/setup''${"$"}{XDG_DATA_DIRS:+:$XDG_DATA_DIRS}
    multi=$'a\nb "quoted" $x \\ \x27z\x27'
    unset HOST_ONLY
    genericBuild() { echo "building $name"; }
    with_heredoc() {
      cat <<HERE
    text $1
    HERE
    }
    exported_function() { echo exported; }
    export -f exported_function
    alias ll='ls -l'
  '';
in rec {
  stdenv = derivation { name = "stdenv-own"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "export PATH=/usr/bin:/bin; mkdir $out; cp ${"$"}{setup} $out/setup" ]; };
  tool = derivation { name = "tool-1.2"; pname = "tool"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "export PATH=/usr/bin:/bin; mkdir -p $out/bin $out/nix-support; printf '#!/bin/sh\\necho tool says \"$@\"\\nexit 5\\n' > $out/bin/tool; chmod +x $out/bin/tool; echo 'export TOOL_HOOK=$i; toolFunction() { echo fn; }; /bin/mkdir -p $TMPDIR/made; echo hi > $TMPDIR/made/file; export MADE=$TMPDIR/made/file' > $out/nix-support/setup-hook" ]; };
  mkShell = args: derivation ({ name = "own-shell"; system = "x86_64-linux"; builder = "/bin/bash"; args = [ "-c" "exit 1" ]; inherit stdenv; outputs = [ "out" "dev" ]; } // args);
}
`;

export const OWN_SHELL = String.raw`{ inNixShell ? false }:
let s = import ./stdenv.nix; in
s.mkShell {
  buildInputs = [ s.tool ];
  VALUE = "a 'b' \"c\" \n d";
  passAsFile = [ "big" ];
  big = "contents of big";
  INSHELL = inNixShell;
  shellHook = "export HOOKED=yes; hooked_function() { tool \"$@\"; }";
}
`;

export const STRUCTURED_SHELL = String.raw`let s = import ./stdenv.nix; in
s.mkShell { __structuredAttrs = true; list = [ "a b" "c" ]; set = { x = "1"; "y z" = "2"; }; n = 3; t = true; shellHook = "export SEEN=\"$list\""; }
`;

export const OWN_FLAKE = String.raw`{
  outputs = { self }: let s = import ./stdenv.nix; in {
    devShells.x86_64-linux.default = s.mkShell { buildInputs = [ s.tool ]; VALUE = "a 'b' \"c\" \n d"; shellHook = "export HOOKED=yes"; SELF = self; };
    devShells.x86_64-linux.structured = import ./structured.nix;
    packages.x86_64-linux.default = s.tool;
    packages.x86_64-linux.tool = s.tool;
    apps.x86_64-linux.app = { type = "app"; program = "${"$"}{s.tool}/bin/tool"; };
    overlays.default = final: prev: { };
  };
}
`;

/** Bash that prints all of its state but what differs from one bash to the next. */
export const DUMP = String.raw`declare -p | grep -v '^declare -[a-z-]*r'; declare -f; trap -p; shopt -p; set +o`;
