(throw "a") / (0)
