map builtins.typeOf [ /a 1 1.0 "a" true null [ ] { } (x: x) builtins.map ]
