(derivation { name = throw "no"; x = 1; }).x
