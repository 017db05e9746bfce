"${builtins.map (x: x)}"
