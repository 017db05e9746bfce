true || abort "no"
