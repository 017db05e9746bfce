let x = 1; s = { inherit x; ${"d" + "y"} = 1; "q r" = 2; }; in map (n: (builtins.unsafeGetAttrPos n s).column) [ "x" "dy" "q r" ]
