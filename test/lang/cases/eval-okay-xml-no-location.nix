# options: --xml --no-location
{ a = x: x; b = 2; }
