# options: --json
"äöü€😀\t\\\u0041"
