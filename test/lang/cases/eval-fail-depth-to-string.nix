# options: --max-call-depth 10
let f = n: { __toString = self: f (n + 1); }; in "${f 0}"
