[ (toString 1) (toString "a") (toString true) (toString false) (toString null) (toString [ 1 "b" [ 2 [ ] ] true ]) (toString /a) (toString { outPath = "/o"; }) ]
