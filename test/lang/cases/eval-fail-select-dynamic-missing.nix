let n = "nope"; in { a = 1; }.${n}
