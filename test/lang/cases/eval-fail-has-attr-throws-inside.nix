{ a = throw "inside"; } ? a.b
