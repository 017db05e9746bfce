[ (builtins.substring 1 2 "abcd") (builtins.substring 2 10 "abcd") (builtins.substring 10 1 "abcd") (builtins.substring 0 (-1) "abcd") (builtins.substring 0 0 "x") ]
