[ (builtins.hasContext "a") (builtins.hasContext "${builtins.toFile "a" "b"}") ]
