# options: --json
{ outPath = "/o"; a = 1; }
