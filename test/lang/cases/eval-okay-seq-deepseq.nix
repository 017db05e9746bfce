with builtins; [ (seq 1 2) (deepSeq { a = [ 1 ]; } 3) (tryEval (deepSeq { a = throw "x"; } 3)) ]
