builtins.toJSON { b = 1; a = [ true null 1.5 "x" ]; c = { }; }
