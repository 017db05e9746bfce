{ f = x: throw "in set"; }.f 1
