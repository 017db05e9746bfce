builtins.tryEval ((throw "a") / 0)
