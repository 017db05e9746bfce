// Tools of the project.
import { dedent, defineInputs, defineShell, github } from "tsos";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

export default defineShell({
  inputs,
  config: ({ pkgs: { nixpkgs: pkgs } }) => {
    const port = 8080;
    return {
      // compilers
      // linked
      packages: [
        pkgs.go,
        pkgs.gopls,
        pkgs.zlib,
      ],
      shellHook: dedent`
        echo "port $PORT"
        export PATH=\${PATH}:$PWD/bin
      `,
      env: {
        CGO_ENABLED: 0,
        PORT: String(port),
      },
    };
  },
});
