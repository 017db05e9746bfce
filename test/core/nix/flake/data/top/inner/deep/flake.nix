{ outputs = _: { v = "deep"; }; }
