builtins.addErrorContext (throw "no") 1
