let f = l: builtins.head l; in f [ ]
