let
  a = 1;
in
  __curPos.line
