# options: --lint-short-path-literals fatal
[ ./a b/c ]
