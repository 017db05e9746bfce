# options: --max-call-depth 20
let d = builtins.foldl' (a: x: [ a ]) [ ] (builtins.genList (x: x) 30); in d == builtins.foldl' (a: x: [ a ]) [ ] (builtins.genList (x: x) 30)
