builtins.foldl' (a: b: b) (throw "no") [ 1 2 ]
