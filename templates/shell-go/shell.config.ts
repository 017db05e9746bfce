import { defineShell } from "tsos";

/** Go with its debugger and language server: `tsos shell -- go version`. */
export default defineShell(({ pkgs }) => ({
  name: "go",
  packages: [pkgs.go, pkgs.delve, pkgs.gopls],
  env: { CGO_ENABLED: 0 },
}));
