builtins.head 1.5
