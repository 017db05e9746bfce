builtins.foldl' (a: x: a) 0 1
