# options: --json
{ z = 1; a = { b = [ ]; c = { }; }; }
