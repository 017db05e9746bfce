assert { a = throw "x"; } == { a = 1; }; 3
