(x: x + 1) (let y = y; in y)
