(derivation { name = "n"; system = "x"; builder = "/b"; __json = "{\"é\": "; }).drvPath
