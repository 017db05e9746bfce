builtins.intersectAttrs { a = throw "no"; b = 1; } { b = 2; c = 3; }
