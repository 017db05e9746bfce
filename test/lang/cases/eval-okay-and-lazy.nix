false && abort "no"
