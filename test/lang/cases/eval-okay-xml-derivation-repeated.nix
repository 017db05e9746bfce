# options: --xml --no-location
let d = { type = "derivation"; drvPath = "/d"; outPath = "/o"; n = 1; }; in [ d d ]
