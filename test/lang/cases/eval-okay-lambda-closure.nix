let make = n: x: x + n; add2 = make 2; in add2 3
