{ zulu = throw "zulu"; type = throw "type"; name = throw "name"; }
