(derivation { name = "a"; "x y" = throw "z"; system = ""; builder = ""; }).drvPath
