"${{ __toString = self: throw "ts"; }}"
