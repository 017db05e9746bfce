builtins.getAttr "x y" { "x z" = 1; }
