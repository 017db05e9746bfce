{
  inputs.b.inputs.a.follows = "a";
  inputs.n.flake = false;
  outputs = { self, a, b, n }: { v = "c" + a.v + b.v + builtins.readFile "${n}/f"; };
}
