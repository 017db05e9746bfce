builtins.fromJSON ''{ "a": [1, 2.5, "x\u00e9\n", null, true, -3, 1e2], "b": {}, "a2": [] }''
