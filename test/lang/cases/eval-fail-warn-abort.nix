# options: --abort-on-warn
builtins.warn "stop" 1
