import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readDrvArchive } from "../../test/golden/archive.ts";
import { checkDrvs } from "../../test/golden/check-drvs.ts";
import { GOLDEN_DIR } from "../../test/golden/golden-dir.ts";

// npm run golden [-- FILE.tar.zst …]
// Each `.drv` of the archives must come out of tsos as it stands: bytes, store path, output paths.

/** How many failures of an archive are named. */
const SHOWN = 10;

const named = process.argv.slice(2);
const archives = named.length > 0 ? named : [join(GOLDEN_DIR, "nixos-26.11-drvs.tar.zst")];

for (const archive of archives) {
  if (!existsSync(archive)) {
    console.error(`golden: there is no archive "${archive}"; name one, or set TSOS_GOLDEN to the folder of golden data`);
    process.exitCode = 1;
    continue;
  }
  const start = performance.now();
  let files: ReadonlyMap<string, Uint8Array>;
  try {
    files = await readDrvArchive(archive);
  } catch (error) {
    console.error(`golden: "${archive}" is no readable .tar.zst: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    continue;
  }
  const failures = checkDrvs(files);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${basename(archive)}: ${files.size - failures.length} of ${files.size} (${seconds} s)`);
  for (const { file, reason } of failures.slice(0, SHOWN)) console.error(`  ${file}: ${reason}`);
  if (failures.length > SHOWN) console.error(`  and ${failures.length - SHOWN} more`);
  if (failures.length > 0 || files.size === 0) process.exitCode = 1;
}
