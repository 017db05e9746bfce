({ a = abort "no"; b = 1; } // { c = abort "no"; }).b
