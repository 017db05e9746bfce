map builtins.parseDrvName [ "hello-1.2.3" "foo-bar" "nix-0.12pre12876" "a-b-1-c" "x" ]
