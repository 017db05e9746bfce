builtins.fromTOML "a = 1\nb.c = 'x'\n[t]\nd = [1, 2]\n[[l]]\nx = 1\n[[l]]\nx = 2\n"
