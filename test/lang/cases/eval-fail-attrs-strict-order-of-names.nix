{ zulu = throw "zulu"; alpha = throw "alpha"; }
