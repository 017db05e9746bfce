{ outputs = { self }: { v = "inside"; }; }
