# line
/* block */ 1 /* ** */ + /**/ 2 # end
