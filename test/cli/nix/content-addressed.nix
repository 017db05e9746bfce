let
  make = attributes: derivation ({ system = "x86_64-linux"; builder = "/bin/sh"; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; } // attributes);
  run = script: [ "-c" script ];
  root = make { name = "root"; outputs = [ "out" "dev" ]; args = run "echo self $out > $out; echo dev $dev and $out > $dev"; };
  middle = salt: make { name = "middle"; inherit salt; args = run "echo uses ${root} ${root.dev} > $out"; };
  leaf = input: derivation { system = "x86_64-linux"; builder = "/bin/sh"; name = "leaf"; args = run "echo leaf ${input} $out > $out"; };
in {
  inherit root;
  dev = root.dev;
  middle = middle "1";
  leaf = leaf (middle "1");
  twin = leaf (middle "2");
  flat = make { name = "flat"; outputHashMode = "flat"; args = run "echo flat > $out"; };
  sha512 = make { name = "sha512"; outputHashAlgo = "sha512"; args = run "echo sha512 > $out"; };
  structured = make { name = "structured"; __structuredAttrs = true; mine = builtins.placeholder "out"; list = [ "${root}" ]; args = run "while read -r line || [ -n \"$line\" ]; do echo \"$line\"; done < $NIX_ATTRS_JSON_FILE > ${builtins.placeholder "out"}"; };
  placeholder = derivation { system = "x86_64-linux"; builder = "/bin/sh"; name = "placeholder"; mine = builtins.placeholder "out"; args = run "echo $mine ${builtins.placeholder "out"} > $mine"; };
  fixed = derivation { system = "x86_64-linux"; builder = "/bin/sh"; name = "fixed"; outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "self\n"; args = run "read a b < ${root}; echo $a > $out"; };
}
