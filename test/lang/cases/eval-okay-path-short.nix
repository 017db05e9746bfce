builtins.typeOf a/b
