[ (toString 1.5) (toString 0.1) (toString 1.0e10) (builtins.toJSON 1.5) (builtins.toJSON 1.0) (builtins.toJSON 1.0e20) (builtins.toJSON 0.1) ]
