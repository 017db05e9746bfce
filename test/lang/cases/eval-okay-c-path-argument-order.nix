builtins.tryEval (builtins.path { abc = 1; name = throw "x"; })
