map builtins.functionArgs [ ({ a, b ? 1, ... }: a) (x: x) builtins.head ]
