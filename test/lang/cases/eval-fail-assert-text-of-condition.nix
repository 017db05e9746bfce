assert (let x = { a.b = [ 1 2 ]; }; in x ? c); 1
