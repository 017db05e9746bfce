# options: --json
{ a = 1; b = [ 1.5 true null "x\n\"" ]; c = { }; "d e" = /does; }.b
