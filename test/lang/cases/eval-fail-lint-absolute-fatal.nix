# options: --lint-absolute-path-literals fatal
/a/b
