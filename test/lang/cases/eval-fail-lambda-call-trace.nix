let f = x: g x; g = y: throw "deep"; in f 1
