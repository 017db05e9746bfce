# options: --trace-verbose
builtins.traceVerbose { a = 1; } 1
