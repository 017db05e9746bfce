{ zeta = throw "zeta"; alpha = 1; } == { zeta = 2; alpha = 2; }
