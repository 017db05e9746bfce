builtins.length [ builtins.head [ 1 ] ]
