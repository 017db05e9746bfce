builtins.attrNames { Z = 1; a = 1; _ = 1; "1" = 1; A = 1; "é" = 1; "~" = 1; }
