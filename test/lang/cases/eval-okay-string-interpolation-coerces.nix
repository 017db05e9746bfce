let s = { __toString = self: "v${self.x}"; x = "1"; }; o = { outPath = "p"; }; in "${s} ${o}"
