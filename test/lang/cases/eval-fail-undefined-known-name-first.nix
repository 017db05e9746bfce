let f = g; x = y; in 1
