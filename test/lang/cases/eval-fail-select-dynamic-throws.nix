{ a = 1; }.${throw "name"}
