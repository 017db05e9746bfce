"a\nb\n  c"
