builtins.toJSON { a = [ 1 1.5 "x\n\"" null true ]; b = { outPath = "o"; x = 1; }; c = { __toString = _: "s"; }; "ü" = "é"; }
