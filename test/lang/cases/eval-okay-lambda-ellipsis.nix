({ a, ... }: a) { a = 1; b = abort "no"; }
