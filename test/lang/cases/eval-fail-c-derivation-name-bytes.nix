(derivation { name = "é"; builder = "b"; system = "s"; }).drvPath
