# options: --extra-experimental-features pipe-operators
(x: x + 1) <| (x: x * 2) <| 3
