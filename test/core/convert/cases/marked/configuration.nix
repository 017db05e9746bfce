{ pkgs, ... }:
{
  # a number that TypeScript cannot tell from 1
  environment.text = [ (builtins.toJSON 1.0) (builtins.baseNameOf "/a/${pkgs.hello.name}") ];
}
