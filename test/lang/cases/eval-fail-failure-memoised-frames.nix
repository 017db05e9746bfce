let a = throw "a"; b = builtins.addErrorContext "b" a; c = builtins.addErrorContext "c" a; in builtins.seq (builtins.tryEval b) c
