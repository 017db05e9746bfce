toString { outPath = "no"; __toString = _: "yes"; }
