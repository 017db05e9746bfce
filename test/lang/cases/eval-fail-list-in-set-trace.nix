{ a = [ { b = throw "x"; } ]; }
