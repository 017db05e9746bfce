# options: --xml
{ a = x: x; b = { y, z ? 1 }: y; c = { y, ... }@args: y; d = builtins.head; e = builtins.map (x: x); }
