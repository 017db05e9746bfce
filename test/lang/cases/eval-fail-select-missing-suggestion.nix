{ apple = 1; apply = 2; ample = 3; }.appl
