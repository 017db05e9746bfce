[ (builtins.pathExists /) (builtins.pathExists "/does/not") (builtins.pathExists /does/not) ]
