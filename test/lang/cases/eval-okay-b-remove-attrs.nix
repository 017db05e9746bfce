removeAttrs { a = 1; b = throw "no"; c = 3; } [ "b" "x" ]
