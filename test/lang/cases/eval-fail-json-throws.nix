# options: --json
{ a.b = throw "json"; }
