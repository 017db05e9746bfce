[ (1 ? a) (null ? a.b) ("a" ? b) ]
