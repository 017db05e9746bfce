# options: --lint-absolute-path-literals warn
[ /a/b ]
