(derivation { name = "a"; x = throw "z"; system = ""; builder = ""; outputs = [ "out" "dev" ]; }).dev.outPath
