with throw "no"; 1
