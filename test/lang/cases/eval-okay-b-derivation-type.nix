[ (derivation { }).type (builtins.functionArgs derivation) (builtins.typeOf derivation) ]
