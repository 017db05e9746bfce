[ (builtins.replaceStrings [ "a" "b" ] [ "1" "2" ] "abc") (builtins.replaceStrings [ "" ] [ "-" ] "ab") (builtins.replaceStrings [ "aa" "a" ] [ "x" "y" ] "aaa") ]
