with builtins; [ (split "(a)b" "abc") (split "b" "abc") (split "x" "abc") (split "([[:upper:]]+)" " FOO bar BAZ") ]
