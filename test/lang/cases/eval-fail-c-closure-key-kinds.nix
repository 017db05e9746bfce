builtins.genericClosure { startSet = [ { key = 100; } { key = 1; } { key = 0; } { key = ""; } ]; operator = i: [ ]; }
