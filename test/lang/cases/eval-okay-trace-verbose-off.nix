builtins.traceVerbose "x" 1
