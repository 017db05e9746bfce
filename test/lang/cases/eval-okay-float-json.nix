builtins.toJSON [ 1.0 0.1 1.0e30 (-0.5) 123456789.125 ]
