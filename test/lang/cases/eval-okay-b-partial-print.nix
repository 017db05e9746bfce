[ (builtins.add 1) builtins.add ]
