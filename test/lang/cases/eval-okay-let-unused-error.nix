let a = throw "unused"; b = 1; in b
