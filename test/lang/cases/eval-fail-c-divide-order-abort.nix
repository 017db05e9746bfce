(abort "a") / (throw "b")
