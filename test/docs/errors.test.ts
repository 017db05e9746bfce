import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { evaluateConfig } from "../../core/config/evaluate.ts";
import { defaultLimits } from "../../core/config/isolate-limits.ts";
import { openRuntimeFolder } from "../../core/config/runtime-folder.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { runTsos } from "../cli/tsos-process.ts";
import { findErrorCodes, root } from "./error-codes.ts";

const page = readFileSync(join(root, "docs/errors.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "tsos-docs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Example = { readonly code: string; readonly files: ReadonlyMap<string, string>; readonly command: string | undefined; readonly env: Readonly<Record<string, string>> };

const examples: readonly Example[] = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const code = /^`([^`]+)`/.exec(section)?.[1] ?? "";
    const blocks = [...section.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm)].map(([, kind = "", name = "", text = ""]) => ({ kind, name, text }));
    return {
      code,
      files: new Map(blocks.filter(({ kind, name }) => name !== "" && !(kind === "sh" && name === "environment")).map(({ name, text }) => [name, text])),
      command: blocks.find(({ kind }) => kind === "console")?.text.replace(/^\$ tsos /, "").trim(),
      env: Object.fromEntries(blocks.filter(({ name }) => name === "environment").flatMap(({ text }) => text.trim().split("\n").map((line) => line.split("=", 2) as [string, string]))),
    };
  });
const rows = [...page.matchAll(/^\| `([a-z-]+\.[a-z0-9-]+)` \|(.*)\|$/gm)].map(([, code = "", rest = ""]) => ({ code, cells: rest.split(" | ").map((cell) => cell.trim()) }));

test("every error code of the source is documented, and every documented one is in the source", () => {
  const documented = [...examples, ...rows].map(({ code }) => code);
  assert.deepEqual(documented.filter((code, i) => documented.indexOf(code) !== i), [], "documented twice");
  const codes = findErrorCodes();
  assert.deepEqual([...codes].filter((code) => !documented.includes(code)).sort(), [], "not in docs/errors.md");
  assert.deepEqual(documented.filter((code) => !codes.has(code)), [], "not in the source");
});

test("every row says what the code means, an example and the fix; the test that it names exists and is about the code", () => {
  for (const { code, cells } of rows) {
    assert.equal(cells.length, 4, code);
    const [means, example, fix, where = ""] = cells;
    for (const cell of [means, example, fix]) assert.ok(cell !== undefined && cell.length > 2, code);
    if (where === "–") continue;
    const file = join(root, where.replaceAll("`", ""));
    assert.ok(existsSync(file) && readFileSync(file, "utf8").includes(code), `${code}: ${where}`);
  }
});

test("every example stands with its meaning and the fix", () => {
  for (const section of page.split(/^### /m).slice(1)) assert.match(section, /^`[^`]+`\n\n\S[\s\S]*?\n```[\s\S]*\nFix: \S/, section.slice(0, 40));
});

for (const [i, { code, files, command, env }] of examples.entries()) {
  test(`the example of ${code} gives it`, async () => {
    const project = join(folder, `p${i}`);
    for (const [name, text] of [["package.json", "{}"], ...files]) {
      const file = join(project, name!);
      mkdirSync(dirname(file), { recursive: true });
      // Bytes that are no text are written as \xNN.
      writeFileSync(file, /\\x[0-9a-f]{2}/.test(text!) && !file.endsWith(".ts") ? Buffer.from(text!.trimEnd().replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), "latin1") : text!);
    }
    assert.deepEqual(await (command === undefined ? evaluate(project, env) : run(project, command, env)), [code]);
  });
}

/** The codes of what is wrong with the system of a project. */
async function evaluate(project: string, env: Example["env"]): Promise<readonly string[]> {
  const limits = { ...defaultLimits, cpuSeconds: Number(env["TSOS_EVALUATION_SECONDS"] ?? defaultLimits.cpuSeconds) };
  try {
    await evaluateConfig({ file: join(project, "system.config.ts"), request: { kind: "system" }, runtime: openRuntimeFolder(join(root, "dist")), limits });
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    const all = "errors" in error && Array.isArray(error.errors) ? (error.errors as TsosError[]) : [error];
    for (const one of all) assert.ok(one.at !== undefined && one.at.file.startsWith(project), `${one.code} has its place in the user's files`);
    return [...new Set(all.map((one) => one.code))];
  }
  return [];
}

/** The code that a command tells with --json. */
async function run(project: string, command: string, env: Example["env"]): Promise<readonly string[]> {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);
  const { stdout, stderr, code } = await runTsos([...words, "--json"], { cwd: project, stateFolder: join(folder, "state"), env: { ...env, HOME: folder } });
  const reply = stdout.trim().split("\n").at(-1) ?? "";
  assert.ok(reply.startsWith("{"), stderr);
  const { error } = JSON.parse(reply) as { readonly error: { readonly code: string } };
  assert.equal(code, /^cli\.(usage|bad-limit)$/.test(error.code) ? 2 : code === 2 ? 2 : 1);
  return [error.code];
}
