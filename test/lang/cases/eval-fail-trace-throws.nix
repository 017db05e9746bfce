builtins.trace (throw "in trace") 1
