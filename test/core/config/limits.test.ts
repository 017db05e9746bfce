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

// Each of these ends an engine before Node 24's itself, not only the evaluation; later ones throw at some.
const LATER_ENGINE = Number(process.versions.node.split(".")[0]) >= 24;

const FATAL: readonly (readonly [string, string])[] = [
  ["a list of small numbers that grows", "for (;;) all.push(1);"],
  ["a text cut into letters", `all.push("x".repeat(2 ** 28).split("")); void n;`],
  ["a sparse list that is filled", "const list: number[] = []; for (let i = 0; ; i++) list[i] = n;"],
];

for (const [i, [what, loop]] of FATAL.entries()) {
  test(`${what} beyond what the engine can hold is an error, and the program goes on`, async () => {
    const source = ["const n = 1;", "const all: unknown[] = [];", "function work(): void {", `  ${loop}`, "}", "work();", "export default all;", ""].join("\n");
    const project = writeProject(join(folder.path, `f${i}`), { "system.config.ts": source });
    const [error] = await errorsOf(evaluateTrial(runtime, join(project, "system.config.ts"), { heapMegabytes: 2048 }));
    assert.ok(error?.code === "config.out-of-memory" || (LATER_ENGINE && error?.code === "config.too-large"), error?.code);
    assert.match(error.message, LATER_ENGINE ? /^(the evaluation needs more than 2048 MB of memory|a value is too large: .*)$/ : /^(the evaluation needs more than 2048 MB of memory|a list of the evaluation grows longer than any can be)$/);
    assert.equal(error.at?.file, join(project, "system.config.ts"));
    const sound = writeProject(join(folder.path, `s${i}`), { "system.config.ts": "export default 1;\n" });
    assert.equal((await evaluateTrial(runtime, join(sound, "system.config.ts"))).result.option.value, 1);
  });
}

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
