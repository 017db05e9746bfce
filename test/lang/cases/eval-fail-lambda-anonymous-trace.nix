(x: y: throw "anon") 1 2
