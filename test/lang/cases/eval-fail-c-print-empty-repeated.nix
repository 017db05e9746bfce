let s = { a = { }; b = { }; c = [ ]; d = [ ]; }; in toString (builtins.deepSeq s s)
