let x = "w"; n = { a = "q"; }; in "hello ${x} ${n.a} ${"nested ${x}"}"
