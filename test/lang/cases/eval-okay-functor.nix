let f = { __functor = self: x: self.n + x; n = 1; }; in [ (f 2) (map f [ 1 2 ]) ]
