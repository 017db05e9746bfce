[ (builtins.split "(a)b" "abc") (builtins.split "x" "abc") (builtins.split "([ac])|(b)" "abc") (builtins.split "" "ab") ]
