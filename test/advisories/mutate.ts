/**
 * `npm run mutate:advisories [-- WORD]`: takes each defence out of a copy of the sources and runs the test that is there
 * for it, which must then fail. A test that passes without its defence proves nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MUTATIONS, type Mutation } from "./mutations.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** @returns what is wrong with the tests: empty when each fails without its defence and passes with it */
export function mutateAdvisories(word: string, say: (line: string) => void): readonly string[] {
  const chosen = MUTATIONS.filter(({ test, file }) => `${file} ${test}`.includes(word));
  const copy = mkdtempSync(join(tmpdir(), "tsos-mutations-"));
  const problems: string[] = [];
  try {
    for (const name of ["core", "cli", "test", "package.json", "tsconfig.json"]) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    for (const file of new Set(chosen.map((mutation) => mutation.file))) {
      if (!passes(copy, { test: ".", file, edits: [] })) problems.push(`the tests of "${file}" fail as they are`);
    }
    for (const mutation of chosen) {
      const originals = new Map<string, string>();
      for (const [file, from, to] of mutation.edits) {
        const place = join(copy, file);
        const text = readFileSync(place, "utf8");
        if (!originals.has(place)) originals.set(place, text);
        if (text.split(from).length !== 2) problems.push(`"${from}" is not once in "${file}"`);
        // As a function, since the new text may hold what a replacement gives a meaning to.
        writeFileSync(place, text.replace(from, () => to));
      }
      const unnoticed = passes(copy, mutation);
      say(`${unnoticed ? "NOT NOTICED" : "noticed"}: ${mutation.file}: ${mutation.test}`);
      if (unnoticed) problems.push(`"${mutation.test}" passes without its defence`);
      for (const [place, text] of originals) writeFileSync(place, text);
    }
  } finally {
    // What a defence kept from being made may be folders that only chmod opens again.
    execFileSync("rm", ["-rf", copy]);
    rmSync(copy, { recursive: true, force: true });
  }
  say(`${chosen.length} defences taken out, ${chosen.length - problems.length} noticed`);
  return problems;
}

function passes(copy: string, { test, file }: Mutation): boolean {
  const args = ["--import", "tsx", "--test", `--test-name-pattern=${test}`, join(copy, `test/advisories/${file}.test.ts`)];
  // By `timeout`, which ends the whole group: without its defence a test may hang, and leave a process behind.
  const { status, stdout, stderr } = spawnSync("timeout", ["-s", "KILL", "60", process.execPath, ...args], { cwd: copy, encoding: "utf8", env: { ...process.env, NODE_TEST_CONTEXT: undefined } });
  // What does not even run has noticed nothing.
  if (/\b(ReferenceError|SyntaxError|TypeError|Transform failed)\b/.test(stdout + stderr)) throw new Error(`without its defence "${test}" of "${file}" does not run: ${stdout}`);
  // A pattern that names no test would pass for ever.
  if (status === 0 && !/^# pass [1-9]/m.test(stdout)) throw new Error(`no test of "${file}" is named "${test}"`);
  return status === 0;
}

if (process.argv[1] === import.meta.filename) {
  const problems = mutateAdvisories(process.argv[2] ?? "", (line) => console.log(line));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
