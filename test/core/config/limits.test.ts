import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import { buildTrialRuntime, errorsOf, evaluateTrial, makeFolder, writeProject } from "./trial.ts";

const folder = makeFolder();
let runtime: RuntimeFolder;
before(async () => {
  runtime = await buildTrialRuntime(folder.path);
});
after(() => folder[Symbol.dispose]());

const LOOPS: readonly (readonly [string, string, "config.too-slow" | "config.out-of-memory"])[] = [
  ["an endless loop", "for (;;) n = (n * 3) % 7;", "config.too-slow"],
  ["a list that grows", "for (;;) all.push([n++, n, n, n, n, n, n, n]);", "config.out-of-memory"],
];

for (const [i, [what, loop, code]] of LOOPS.entries()) {
  test(`${what} is an error at the line that ran`, async () => {
    const source = ["let n = 1;", "const all: unknown[] = [];", "function work(): void {", `  ${loop}`, "}", "work();", "export default all;", ""].join("\n");
    const project = writeProject(join(folder.path, `p${i}`), { "system.config.ts": source });
    const [error] = await errorsOf(evaluateTrial(runtime, join(project, "system.config.ts"), { heapMegabytes: 512, cpuSeconds: code === "config.too-slow" ? 3 : 60 }));
    assert.equal(error?.code, code);
    assert.ok(error.hint?.includes("TSOS_EVALUATION_"));
    assert.equal(error.at?.file, join(project, "system.config.ts"));
    // What is sampled when memory grows fast may be too late: then the file as a whole is named.
    assert.ok(error.at.line === 4 || (code === "config.out-of-memory" && error.at.line === 7), String(error.at.line));
  });
}
