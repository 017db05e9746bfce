let
	a = 1 + "x";
in	a
