let s = { a = s; b = 1; }; in builtins.deepSeq s (builtins.trace s 1)
