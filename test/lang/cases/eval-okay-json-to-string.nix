# options: --json
{ __toString = self: "s"; a = 1; }
