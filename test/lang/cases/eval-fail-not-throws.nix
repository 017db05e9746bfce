!(throw "x")
