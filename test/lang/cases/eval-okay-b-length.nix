[ (builtins.length [ ]) (builtins.length [ 1 (throw "no") ]) ]
