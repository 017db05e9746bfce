import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { buildRuntime } from "../../../cli/dev/build.js";
import { evaluateConfig } from "../../../core/config/evaluate.ts";
import { openRuntimeFolder, type RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { makeFolder, render, writeProject } from "./trial.ts";

// Each begins with `=== what`, has its files after `--- name`, and after `--- told` the codes and all that a person
// reads, without the lines that only show the neighbours of the one that is marked.
const golden = readFileSync(resolve(import.meta.dirname, "../../golden/wrong-configurations.txt"), "utf8");
const mistakes = golden.split(/^=== /m).slice(1).map((text) => {
  const [what = "", ...parts] = text.split(/^--- /m);
  const files = parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)] as const);
  return { what: what.trim(), files: files.filter(([name]) => name !== "told"), told: files.find(([name]) => name === "told")?.[1].trimEnd() ?? "" };
});

const folder = makeFolder();
let runtime: RuntimeFolder;
before(async () => {
  const outFolder = join(folder.path, "runtime");
  await buildRuntime({ outFolder });
  runtime = openRuntimeFolder(outFolder);
});
after(() => folder[Symbol.dispose]());

test("there are at least sixty of them", () => {
  assert.ok(mistakes.length >= 60, String(mistakes.length));
});

for (const [i, { what, files, told }] of mistakes.entries()) {
  test(`a wrong configuration is told whole: ${what}`, async () => {
    const project = writeProject(join(folder.path, `p${i}`), Object.fromEntries(files));
    const error = await evaluateConfig({ file: join(project, "system.config.ts"), request: { kind: "system" }, runtime }).then(() => undefined, (thrown: unknown) => thrown);
    assert.ok(error instanceof TsosError, String(error));
    const all = "errors" in error && Array.isArray(error.errors) ? (error.errors as TsosError[]) : [error];
    const text = (await render(error, project)).split("\n").filter((line) => line.trim() !== "" && !/^\s+(\d+)? *\|/.test(line));
    const essence = text.map((line) => line.replace(/( the options are| has) \w+, .*$/, "$1 …").trimEnd());
    assert.equal([`[${[...new Set(all.map(({ code }) => code))].join(" ")}]`, ...essence].join("\n"), told);
    // Neither the isolate's scripts nor tsos's own files.
    assert.doesNotMatch(essence.join("\n"), /tsos:(config|runtime):|^\s+at |mistake in tsos/m);
    for (const { at } of all) assert.ok(at !== undefined && at.file.startsWith(project));
  });
}
