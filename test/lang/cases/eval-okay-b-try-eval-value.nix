builtins.tryEval { a = throw "inside"; }.b or 1
