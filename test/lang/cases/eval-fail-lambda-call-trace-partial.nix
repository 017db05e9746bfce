let f = x: y: throw "two"; g = f 1; in g 2
