# Tools of the project.
{ pkgs ? import <nixpkgs> { } }:
let
  port = 8080;
in
pkgs.mkShell {
  # compilers
  packages = with pkgs; [ go gopls ];
  buildInputs = [ pkgs.zlib ]; # linked

  CGO_ENABLED = 0;
  PORT = toString port;
  shellHook = ''
    echo "port $PORT"
    export PATH=''${PATH}:$PWD/bin
  '';
}
