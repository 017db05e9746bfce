builtins.zipAttrsWith (n: vs: [ n vs ]) [ { a = 1; } { a = 2; b = 3; } ]
