let d = derivation { name = "m"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; }; in [ d.outPath d.dev.outPath d.dev.outputName (map (o: o.outputName) d.all) d.out.dev.outPath ]
