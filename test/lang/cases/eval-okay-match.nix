with builtins; [ (match "a(b*)c" "abbc") (match "a" "ab") (match "(a|b)(c)?" "a") (match "[[:space:]]*([^ ]+) *" "  x ") (match ".*" "a\nb") ]
