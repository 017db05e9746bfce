{ apple = 1; }.zebra
