let p = builtins.unsafeGetAttrPos "a" { b = 1; a = 2; }; in [ p.line p.column (builtins.unsafeGetAttrPos "x" { }) ]
