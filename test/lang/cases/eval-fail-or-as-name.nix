let or = x: y: x; in or 1 2
