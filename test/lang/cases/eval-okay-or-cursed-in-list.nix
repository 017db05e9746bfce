let f = x: x; or = 5; in [ (f or) f or ]
