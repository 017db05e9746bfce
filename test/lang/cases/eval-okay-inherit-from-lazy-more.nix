let s = { inherit (throw "from") a; b = 1; }; in s.b
