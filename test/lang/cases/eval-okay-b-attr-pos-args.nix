let f = { a, b ? 1 }: a; in map (n: (builtins.unsafeGetAttrPos n (builtins.functionArgs f)).column) [ "a" "b" ]
