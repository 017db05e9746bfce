let b = if b then 1 else 2; in b
