builtins.head "a\"b\${c}\n"
