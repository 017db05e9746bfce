builtins.match ".*-eval-.*-string-interpolate-path.nix" "${./eval-okay-string-interpolate-path.nix}" != null
