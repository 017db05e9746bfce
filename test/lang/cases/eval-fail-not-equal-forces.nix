1 != throw "x"
