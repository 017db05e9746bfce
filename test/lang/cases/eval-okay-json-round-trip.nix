let v = { a = [ 1 { b = null; } ]; c = "x"; }; in builtins.fromJSON (builtins.toJSON v) == v
