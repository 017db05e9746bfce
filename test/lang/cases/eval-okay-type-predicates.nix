with builtins; map (f: f 1) [ isInt isFloat isString isBool isNull isList isAttrs isFunction isPath ]
