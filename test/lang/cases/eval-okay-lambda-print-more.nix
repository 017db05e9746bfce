[ (x: x) ({ a }: a) (a@{ ... }: a) builtins.head (builtins.map (x: x)) ]
