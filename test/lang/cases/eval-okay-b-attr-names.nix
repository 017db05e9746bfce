builtins.attrNames { b = throw "no"; a = 1; "10" = 1; "9" = 1; B = 1; }
