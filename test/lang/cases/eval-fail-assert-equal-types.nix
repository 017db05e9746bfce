assert 1 == "a"; 3
