({ a }: a) { a = 1; zeta = 2; beta = 3; }
