{
  description = "all ways in which inputs meet";
  inputs = {
    c.inputs.a.follows = "a";
    d = { inputs.c.follows = "c"; inputs.b.inputs.a.follows = "c/a"; };
    e = { type = "indirect"; id = "d"; inputs.b.url = "flake:b"; };
    inner.url = "./inner";
    inner.inputs.a.follows = "a";
    inside.url = "flake:many";
  };
  outputs = { self, a, c, d, e, ... }@inputs: {
    v = [ a.v c.v d.v e.v inputs.inner.v inputs.inside.v ];
    names = builtins.attrNames inputs;
    inner = builtins.substring (builtins.stringLength self.outPath) 100 inputs.inner.outPath;
    same = inputs.inner.sourceInfo == self.sourceInfo;
    hash = self.narHash;
    date = a.lastModifiedDate;
    type = a._type;
  };
}
