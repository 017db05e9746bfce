builtins.toXML { a = [ 1 "x<&>\"" true null 1.5 ]; f = { a, b ? 1, ... }: a; g = x: x; }
