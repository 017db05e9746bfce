let l = builtins.genList (x: x) 15; in builtins.deepSeq l (l + 1)
