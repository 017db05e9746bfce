[ (builtins.compareVersions "1.0" "1.1") (builtins.compareVersions "2.3pre" "2.3") (builtins.compareVersions "1.2" "1.2") (builtins.compareVersions "10" "9") (builtins.compareVersions "1.a" "1.1") ]
