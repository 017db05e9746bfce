builtins.hashString "md4" "abc"
