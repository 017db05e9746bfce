[ (builtins.add 1 2) (builtins.add 1.5 1) (builtins.sub 3 1) (builtins.mul 2 3) (builtins.div 7 2) ]
