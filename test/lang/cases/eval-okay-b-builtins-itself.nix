builtins ? builtins && builtins.builtins ? head
