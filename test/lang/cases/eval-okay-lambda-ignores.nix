(x: 1) (abort "no")
