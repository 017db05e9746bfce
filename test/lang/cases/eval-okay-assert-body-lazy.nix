(assert true; { a = abort "no"; }) ? a
