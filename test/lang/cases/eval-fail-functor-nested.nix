let f = { __functor = self: { __functor = self2: x: x + 1; }; }; in f 1 2
