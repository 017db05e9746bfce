builtins.length ([ (abort "no") ] ++ [ (abort "no") ])
