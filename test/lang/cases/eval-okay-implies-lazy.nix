false -> abort "no"
