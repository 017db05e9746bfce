"a\n\t\r\\\"\${x}$y$$z\a"
