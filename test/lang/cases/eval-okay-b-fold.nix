builtins.foldl' (a: x: a + x) 0 [ 1 2 3 ]
