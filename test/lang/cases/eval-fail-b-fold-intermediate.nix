builtins.foldl' (a: x: throw "step") 0 [ 1 2 ]
