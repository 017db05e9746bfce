(throw "f") 1
