/**
 * Runs the tests and ends with `N passed, N failed`. Everything but the slow suites; `--slow` runs only those;
 * further arguments select files whose path contains one of them.
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { globSync } from "tinyglobby";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const root = resolve(import.meta.dirname, "..");
const words = process.argv.slice(2);
const slow = words.includes("--slow");
const wanted = words.filter((word) => !word.startsWith("--"));

// What the tests run is the built program, as a user has it.
execFileSync(process.execPath, ["cli/dev/build.js"], { cwd: root, stdio: "inherit" });

const files = globSync("test/**/*.test.ts", { cwd: root, absolute: true })
  .filter((file) => file.endsWith(".slow.test.ts") === slow)
  .filter((file) => wanted.length === 0 || wanted.some((word) => relative(root, file).includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(" ")}`);
  process.exit(1);
}

let passed = 0;
let failed = 0;
let skipped = 0;
const failures: string[] = [];
const stream = run({ files, concurrency: slow ? 1 : availableParallelism(), timeout: slow ? 1_800_000 : 300_000 });
stream.on("test:pass", (event) => {
  if (event.details.type === "suite") return;
  if (event.skip !== undefined || event.todo !== undefined) skipped++;
  else passed++;
});
stream.on("test:fail", (event) => {
  if (event.details.type === "suite") return;
  failed++;
  failures.push(`${event.file === undefined ? "" : `${relative(root, event.file)}: `}${event.name}`);
});
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => {
  // The reporter's own summary is written first.
  setImmediate(() => {
    for (const failure of failures) console.log(`failed: ${failure}`);
    console.log(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  });
});
