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

const wantedFile = (file: string): boolean => wanted.length === 0 || wanted.some((word) => relative(root, file).includes(word));
const files = globSync("test/**/*.test.ts", { cwd: root, absolute: true })
  .filter((file) => file.endsWith(".slow.test.ts") === slow)
  .filter(wantedFile)
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(" ")}`);
  process.exit(1);
}
// Whole machines come last and alone: they want both cores.
const isEndToEnd = (file: string): boolean => file.endsWith(".e2e.test.ts");

let passed = 0;
let failed = 0;
let skipped = 0;
const failures: string[] = [];
async function runFiles(chosen: readonly string[], concurrency: number, timeout: number): Promise<void> {
  if (chosen.length === 0) return;
  const stream = run({ files: [...chosen], concurrency, timeout });
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
  for await (const text of stream.compose(new spec())) process.stdout.write(String(text));
}

if (slow) await runFiles(files, 1, 1_800_000);
else {
  await runFiles(files.filter((file) => !isEndToEnd(file)), availableParallelism(), 300_000);
  await runFiles(files.filter(isEndToEnd), 1, 1_200_000);
}
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
