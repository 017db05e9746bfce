{ __functor = self: x: throw "called"; } 1
