let s = { a.b.c = 1; }; in [ (s ? a) (s ? a.b) (s ? a.x) (s ? a.b.c.d) (s ? ${"a"}."b") (1 ? a) ]
