builtins.appendContext "a" { "/nix/store/foo" = { path = true; }; }
