if if true then false else true then 1 else if true then 2 else 3
