let x = "b"; in [ /a/${x} /a/${x}/c /a/${x}c/d-${x} ]
