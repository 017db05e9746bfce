rec { a = "n"; ${a} = 1; b = 2; }
