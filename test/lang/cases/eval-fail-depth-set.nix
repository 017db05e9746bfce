# options: --max-call-depth 20
builtins.foldl' (a: x: { b = a; }) { } (builtins.genList (x: x) 30)
