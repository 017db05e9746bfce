builtins.toFile "x.txt" "hello"
