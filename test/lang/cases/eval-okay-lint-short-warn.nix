# options: --lint-short-path-literals warn
builtins.isPath a/b && builtins.isPath ./c
