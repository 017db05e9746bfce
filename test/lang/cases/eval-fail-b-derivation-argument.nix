(derivation 1).x
