builtins.tryEval <nothing>
