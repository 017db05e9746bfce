builtins.warn "one\ntwo\n  three" 1
