builtins.genericClosure { startSet = map (key: { inherit key; }) [ [ 5 ] [ 3 1 ] [ 8 ] [ 1 ] [ 3 "a" ] ]; operator = i: [ ]; }
