with builtins; [ (stringLength "abc") (substring 1 2 "abcd") (substring 2 (-1) "abcd") (substring 9 1 "abc") (substring 0 0 "a") ]
