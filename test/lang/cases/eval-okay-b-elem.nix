[ (builtins.elem 1 [ 1 (throw "no") ]) (builtins.elem "a" [ ]) (builtins.elem [ 1 ] [ [ 1 ] ]) ]
