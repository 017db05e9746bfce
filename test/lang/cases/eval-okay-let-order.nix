let b = a; a = 1; in b
