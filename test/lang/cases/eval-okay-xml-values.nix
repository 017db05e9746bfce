# options: --xml
{ a = 1; b = "x<>&\"'\n"; c = [ true null 1.5 /p ]; d = { e = { }; }; }
