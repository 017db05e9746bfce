let s = { a = 1; }; in { inherit (throw "no") b; inherit (s) a; }.a
