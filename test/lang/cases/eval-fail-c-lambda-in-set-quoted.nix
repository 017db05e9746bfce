builtins.head (builtins.attrValues { "a b" = x: x; }) + 1
