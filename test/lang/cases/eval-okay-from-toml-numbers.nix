builtins.fromTOML "a = 0xff\nb = 1_000\nc = 1.5\nd = -2\ne = true\nf = 0b101\ng = 1e3\nh = 0o17"
