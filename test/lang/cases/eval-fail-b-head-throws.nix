builtins.head [ (throw "element") ]
