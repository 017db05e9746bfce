"${{ __toString = self: "v${self.x}"; x = "1"; }}"
