builtins.attrValues (builtins.getContext "${builtins.toFile "a" "b"}")
