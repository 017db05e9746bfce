let n = "a"; in { a = 1; b.a = 2; }."${n}" + { a = 1; b.a = 2; }.b.${n}
