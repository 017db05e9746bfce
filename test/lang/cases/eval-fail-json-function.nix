# options: --json
{ f = x: x; }
