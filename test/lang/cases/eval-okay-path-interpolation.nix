let x = "foo"; in [ /a/${x} /a/${x}/b /${x}.nix /a${x}/c ]
