"a${throw "in string"}b"
