builtins.path { path = /etc/passwd; "é" = 1; }
