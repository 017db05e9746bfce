abort "stop ${"now"}"
