builtins.getEnv "TSOS_NO_SUCH_VARIABLE"
