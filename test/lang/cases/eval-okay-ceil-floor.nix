map (f: map f [ 1.5 (-1.5) 2 0.0 ]) [ builtins.ceil builtins.floor ]
