let d = derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo" ]; FOO = 1; bar = [ "a" true ]; }; in [ d.outPath d.drvPath d.type d.outputName d.name ]
