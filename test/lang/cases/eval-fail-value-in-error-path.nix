builtins.head /a/b
