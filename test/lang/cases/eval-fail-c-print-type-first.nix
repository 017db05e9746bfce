{ b = 1; _type = 2; a = 3; type = 4; } + 1
