# Derivations that make derivations, and those that use what those build.
let
  make = name: script: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; } // more);
  floating = { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
  copied = name: drv: make name "while IFS= read -r line || [ -n \"$line\" ]; do printf '%s' \"$line\"; done < ${builtins.unsafeDiscardOutputDependency drv.drvPath} > $out" (floating // { outputHashMode = "text"; });
  of = drv: builtins.outputOf drv.outPath "out";
in
rec {
  made = make "made" "echo made here > $out" floating;
  maker = copied "made.drv" made;
  user = make "user" "read x < ${of maker}; echo $x ${of maker} > $out" { };
  floatingUser = make "floating-user" "read x < ${of maker}; echo $x > $out" floating;
  userOfUser = make "user-of-user" "read x < ${user}; echo $x > $out" { };
  makerOfMaker = copied "maker.drv" maker;
  deep = make "deep" "read x < ${builtins.outputOf (of makerOfMaker) "out"}; echo $x > $out" { };
}
