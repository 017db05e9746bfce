{ outputs = _: { v = "a"; }; }
