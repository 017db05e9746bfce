[ (builtins.concatStringsSep ", " [ "a" "b" ]) (builtins.concatStringsSep "x" [ ]) (builtins.concatStringsSep "" [ "a" ]) ]
