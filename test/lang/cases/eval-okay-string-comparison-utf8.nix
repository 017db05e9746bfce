builtins.stringLength "äöü€"
