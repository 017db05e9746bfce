let a = builtins.trace "once" (throw "a"); in [ (builtins.tryEval a).success (builtins.tryEval a).success ]
