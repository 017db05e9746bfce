builtins.fromTOML ''a = 1
b.c = "x"
[t]
d = [ 1.5, true ]
''
