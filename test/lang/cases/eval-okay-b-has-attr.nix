[ (builtins.hasAttr "a" { a = throw "no"; }) (builtins.hasAttr "b" { }) ]
