{ a = abort "no"; } ? a
