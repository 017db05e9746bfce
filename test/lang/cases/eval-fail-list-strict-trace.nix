[ 1 [ 2 (throw "inner") ] ]
