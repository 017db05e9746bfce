(derivation { name = "st"; system = "s"; builder = "b"; __structuredAttrs = true; a = { b = [ 1 "x" null ]; }; outputs = [ "out" "lib" ]; }).drvPath
