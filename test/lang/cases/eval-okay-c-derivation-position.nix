builtins.unsafeGetAttrPos "outPath" (derivation { name = "x"; })
