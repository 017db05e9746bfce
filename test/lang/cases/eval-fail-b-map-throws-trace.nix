map (x: throw "mapped") [ 1 ]
