[ 1 (abort "no") ] == [ 2 (abort "no") ]
