# options: --lazy
[ 1 (1 + 1) [ ] [ 1 ] { } (x: x) builtins.head ]
