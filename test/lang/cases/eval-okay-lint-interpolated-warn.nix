# options: --lint-short-path-literals warn
let x = "y"; in builtins.isPath a/${x}
