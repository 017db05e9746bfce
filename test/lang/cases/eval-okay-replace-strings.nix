with builtins; [ (replaceStrings [ "a" "b" ] [ "b" "a" ] "abab") (replaceStrings [ "" ] [ "-" ] "abc") (replaceStrings [ "ab" "a" ] [ "1" "2" ] "abaa") (replaceStrings [ ] [ ] "x") ]
