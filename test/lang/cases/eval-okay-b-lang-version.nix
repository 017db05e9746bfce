[ (builtins.langVersion == 6) (builtins.nixVersion == "2.34.8") builtins.storeDir ]
