{ inherit (nothing) a; b = alsoNothing; }
