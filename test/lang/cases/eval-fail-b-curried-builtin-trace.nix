let add = builtins.add 1; in add "a"
