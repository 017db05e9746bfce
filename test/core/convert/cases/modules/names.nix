# What machines are called.
{ number, prefix ? "host" }:
assert number > 0;
{
  host = "${prefix}-${toString number}";
}
