"${builtins.head}"
