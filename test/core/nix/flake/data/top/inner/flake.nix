{
  inputs.deep.url = "path:./deep";
  outputs = { self, deep, a }: { v = "inner" + deep.v + a.v; where = self.outPath; };
}
