builtins.scopedImport 1 1
