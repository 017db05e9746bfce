builtins.toFile ".." "x"
