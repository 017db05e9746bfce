let s = [ (x: x) ]; in builtins.deepSeq s (s + 1)
