builtins.scopedImport 1 /x
