map builtins.parseDrvName [ "nix-0.12pre12876" "foo" "a-b-1" "-1" "x-y" ]
