let x = builtins.trace { inherit x; } true; in x
