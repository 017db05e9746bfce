({ a = throw "no"; b = 1; } // { a = 2; }).a
