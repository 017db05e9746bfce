builtins.fromTOML "a = \"x\\ty\"\nb = '''raw\\n'''\nc = \"\"\"\nfirst\n  second \\\n   third\"\"\"\n\"q k\" = { i = 1, j = { k = 2 } }"
