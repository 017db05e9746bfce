builtins.addErrorContext "outer" (builtins.addErrorContext "inner" (throw "x"))
