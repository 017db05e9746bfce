builtins.fromJSON ''{"a": [1, 2.5, -3, 1e2, true, null, "x\\u0041\\n"], "b": {}}''
