# options: --lint-url-literals fatal
[ 1 http://a.b/c ]
