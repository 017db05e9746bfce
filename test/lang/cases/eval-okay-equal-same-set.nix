let s = { f = x: x; }; in [ (s == s) ([ s.f ] == [ s.f ]) ({ inherit (s) f; } == { inherit (s) f; }) (s.f == s.f) ]
