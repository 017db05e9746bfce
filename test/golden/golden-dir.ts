import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of golden data: TSOS_GOLDEN, or `shared/golden` beside the repository. */
export const GOLDEN_DIR = process.env["TSOS_GOLDEN"] ?? resolve(fileURLToPath(import.meta.url), "../../../../shared/golden");

/** For `test`'s option `skip`: why, where there is no golden data, as in an ordinary clone. */
export const SKIP_GOLDEN: string | false = existsSync(GOLDEN_DIR) ? false : `no golden data at ${GOLDEN_DIR}; set TSOS_GOLDEN`;
