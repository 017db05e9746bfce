# options: --lint-url-literals warn
[ http://a.b/c "x" ]
