(args@{ a, b ? 2, ... }: [ a b (args ? b) (args ? c) args.c ]) { a = 1; c = 3; }
