''a
  b
 c''
