{ outputs = { self, b, c }: { v = "d" + b.v + c.v; }; }
