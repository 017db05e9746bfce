{ ${throw "dyn"} = 1; }
