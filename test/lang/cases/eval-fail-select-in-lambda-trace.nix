let f = s: s.missing; in f { present = 1; }
