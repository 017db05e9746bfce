builtins.replaceStrings [ "x" "a" ] [ (throw "no") "b" ] "a"
