builtins.attrNames (builtins.derivationStrict { name = "a"; builder = "b"; system = "s"; outputs = [ "out" "dev" ]; })
