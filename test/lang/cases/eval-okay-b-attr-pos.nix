let s = {
  a = 1;
  b.c = 2;
}; in [ (removeAttrs (builtins.unsafeGetAttrPos "a" s) [ "file" ]) (builtins.unsafeGetAttrPos "x" s) (builtins.unsafeGetAttrPos "c" s.b).column ]
