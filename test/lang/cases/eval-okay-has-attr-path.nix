let s = { a.b.c = 1; }; in [ (s ? a) (s ? a.b) (s ? a.b.c) (s ? a.x) (s ? x.y) (s.a ? b.c.d) ]
