let
  a = 1;

  b = a +
    throw "x";

in
b
