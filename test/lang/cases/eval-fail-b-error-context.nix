builtins.addErrorContext "while trying" (throw "x")
