# options: --extra-experimental-features pipe-operators
1 |> 2
