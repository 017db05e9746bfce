# Addresses, by name.
{ prefix }:
let
  host = last: { address = "${prefix}.${toString last}"; };
in
{
  bench = host 10;
  store = host 2 // { services = [ "rsync" ]; };
  press = host 31;
}
