let s = { x = 1; y = 2; }; in { a = { inherit (s) x; }; a.z = 3; }
