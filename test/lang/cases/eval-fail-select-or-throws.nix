{ a = throw "value"; }.a or 1
