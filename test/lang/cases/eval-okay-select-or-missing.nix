[ ({ }.a or 1) ({ a.b = 1; }.a.c or 2) ({ a = 1; }.a.b.c or 3) (1 .a or 4) ]
