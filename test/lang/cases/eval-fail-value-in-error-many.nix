let s = builtins.listToAttrs (builtins.genList (n: { name = "n${toString n}"; value = n; }) 15); in builtins.deepSeq s (builtins.length s)
