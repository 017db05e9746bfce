builtins.typeOf ("a" + "/b")
