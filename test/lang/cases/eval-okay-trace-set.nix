builtins.trace { a = 1; b = [ 1 (1 + 1) ]; c = x: x; d = "q\n"; e = /p; } 2
