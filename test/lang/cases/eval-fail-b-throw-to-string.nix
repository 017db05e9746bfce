throw { __toString = s: "made"; }
