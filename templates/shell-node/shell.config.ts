import { defineShell } from "tsos";

/** Node with yarn and pnpm: `tsos shell -- node --version`. */
export default defineShell(({ pkgs }) => ({
  name: "node",
  packages: [pkgs.nodejs, pkgs.yarn, pkgs.pnpm],
  shellHook: `
    export PATH="$PWD/node_modules/.bin:$PATH"
  `,
}));
