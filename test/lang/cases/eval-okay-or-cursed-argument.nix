let f = x: y: y; g = x: x; or = 5; in f g or
