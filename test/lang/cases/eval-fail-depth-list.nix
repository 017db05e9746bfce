# options: --max-call-depth 20
builtins.foldl' (a: x: [ a ]) [ ] (builtins.genList (x: x) 30)
