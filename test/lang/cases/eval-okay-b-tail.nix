[ (builtins.tail [ 1 2 ]) (builtins.tail [ (throw "no") 2 ]) ]
