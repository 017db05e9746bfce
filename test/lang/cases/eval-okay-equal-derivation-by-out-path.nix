{ type = "derivation"; outPath = "x"; a = abort "no"; } == { type = "derivation"; outPath = "x"; b = 1; }
