({ a }: a) (throw "arg")
