builtins.addErrorContext "my context" (throw "x")
