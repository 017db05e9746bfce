{ outputs = { self, a }: { v = "b" + a.v; }; }
