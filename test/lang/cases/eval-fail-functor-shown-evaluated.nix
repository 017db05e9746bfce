let f = { __functor = self: x: self; }; in "${f 1}"
