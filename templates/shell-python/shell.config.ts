import { defineShell } from "tsos";

/** Python: `tsos shell -- python3 --version`. */
export default defineShell(({ pkgs }) => ({
  name: "python",
  packages: [pkgs.python3],
  env: { PYTHONDONTWRITEBYTECODE: 1 },
}));
