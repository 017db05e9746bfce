builtins.elemAt [ ] (-9223372036854775807)
