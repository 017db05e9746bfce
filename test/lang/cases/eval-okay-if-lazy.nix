[ (if true then 1 else abort "no") (if false then abort "no" else 2) ]
