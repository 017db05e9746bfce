let s = { a.b.c.d.e.f.g.h.i.j.k.l.m = 1; }; in builtins.deepSeq s (builtins.length s)
