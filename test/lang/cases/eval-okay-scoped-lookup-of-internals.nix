let __sub = a: b: "mine"; in [ (1 - 2) (3 * 2) ]
