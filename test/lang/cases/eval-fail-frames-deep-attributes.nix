let f = n: if n == 0 then throw "bottom" else { x = f (n - 1); }.x; in f 12
