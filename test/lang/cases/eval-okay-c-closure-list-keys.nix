builtins.genericClosure { startSet = map (key: { inherit key; }) [ [ 2 1 ] [ 1 "a" ] [ 2 ] [ 1 "a" ] [ 3 null ] [ 2 1 ] ]; operator = i: [ ]; }
