builtins.length [ (abort "a") (throw "b") ]
