# options: --lazy
let a = 1 + 1; in { inherit a; b = a; }
