with { a = 1; }; with { b = 1; }; c
