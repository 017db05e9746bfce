builtins.genericClosure { startSet = map (key: { inherit key; }) [ 1 1.0 2 1.5 0.5 2.0 3 ]; operator = i: if i.key < 2 then [ { key = i.key + 1; } ] else [ ]; }
