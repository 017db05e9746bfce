{ throw = throw "zeta"; alpha = 1; } == { zeta = 2; throw = 2; }
