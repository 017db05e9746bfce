builtins.filter (x: throw "filter") [ 1 ]
