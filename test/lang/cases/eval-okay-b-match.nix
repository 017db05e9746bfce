[ (builtins.match "a(b*)c" "abbc") (builtins.match "x" "y") (builtins.match "(a)|(b)" "b") (builtins.match "[[:space:]]+([^[:space:]]+)" "  x") ]
