import { defineShell } from "tsos";

/** The tools of this project: `tsos shell` enters, `tsos shell -- CMD` runs one command. */
export default defineShell(({ pkgs }) => ({
  name: "project",
  packages: [pkgs.git, pkgs.jq],
}));
