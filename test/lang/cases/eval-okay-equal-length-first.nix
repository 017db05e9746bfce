[ (abort "no") ] == [ ]
