builtins.trace "a" (builtins.trace "b" (builtins.trace [ ] 3))
