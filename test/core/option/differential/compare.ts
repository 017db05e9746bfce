/**
 * Random module sets, evaluated here and by the reference implementation's `lib.evalModules`:
 *
 *     node --import tsx test/core/option/differential/compare.ts --lib DIR [--count N] [--seed N] [--show N] [--record FILE]
 *
 * `DIR` is nixpkgs' `lib` as the reference sees it; `TSOS_REFERENCE` runs a command of the reference where it is
 * not on PATH. Prints every scenario whose result differs, and exits with 1. `--record` writes what the reference
 * said, for `differential.test.ts`.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { createRandom } from "../../../faults/seeded-random.ts";
import { randomScenario } from "./random-scenario.ts";
import type { Scenario } from "./scenario.ts";
import { settleScenario } from "./to-modules.ts";
import { printScenario } from "./to-nix.ts";

const { values } = parseArgs({
  options: { lib: { type: "string" }, count: { type: "string", default: "400" }, seed: { type: "string", default: "1" }, show: { type: "string", default: "5" }, record: { type: "string" } },
});
if (values.lib === undefined) throw new Error("--lib DIR is missing: the folder of nixpkgs' lib");

type Reference = { readonly value: unknown } | { readonly failed: true };

function askReference(scenarios: readonly Scenario[]): readonly Reference[] {
  const expression = `let lib = import ${values.lib!}; in [\n${scenarios.map(printScenario).join("\n")}\n]`;
  const [command, ...before] = [...(process.env["TSOS_REFERENCE"] ?? "").split(" ").filter((word) => word !== ""), "nix-instantiate"];
  const run = spawnSync(command!, [...before, "--eval", "--strict", "--json", "--read-write-mode", "-"], { input: expression, encoding: "utf8", maxBuffer: 2 ** 30 });
  if (run.status !== 0) {
    // What tryEval does not catch: one of them; alone it counts as failed.
    if (scenarios.length === 1) {
      uncaught.push(run.stderr.split("\n").findLast((line) => line.includes("error:")) ?? run.stderr);
      return [{ failed: true }];
    }
    const middle = scenarios.length >> 1;
    return [...askReference(scenarios.slice(0, middle)), ...askReference(scenarios.slice(middle))];
  }
  return JSON.parse(run.stdout) as readonly Reference[];
}

/** What the reference says of a scenario that fails. */
function explain(scenario: Scenario): string {
  const [command, ...before] = [...(process.env["TSOS_REFERENCE"] ?? "").split(" ").filter((word) => word !== ""), "nix-instantiate"];
  const input = `let lib = import ${values.lib!}; in ${printScenario(scenario).replace("builtins.tryEval (builtins.deepSeq checked checked)", "{ success = true; value = checked; }")}`;
  const run = spawnSync(command!, [...before, "--eval", "--strict", "--json", "-"], { input, encoding: "utf8" });
  return run.stderr.slice(run.stderr.lastIndexOf("error:"));
}

const uncaught: string[] = [];
const random = createRandom(Number(values.seed));
const scenarios = Array.from({ length: Number(values.count) }, () => randomScenario(random));
const references: Reference[] = [];
for (let i = 0; i < scenarios.length; i += 100) references.push(...askReference(scenarios.slice(i, i + 100)));

const reasons = new Map<string, number>();
const shorten = (message: string): string => message.replace(/"[^"]*"/g, "…").slice(0, 60);
let differing = 0;
let failed = 0;
scenarios.forEach((scenario, i) => {
  const reference = references[i]!;
  const ours = settleScenario(scenario);
  if ("failed" in reference) failed++;
  if ("error" in ours) reasons.set(shorten(ours.error), (reasons.get(shorten(ours.error)) ?? 0) + 1);
  const isSame = "failed" in reference ? "error" in ours : "value" in ours && isDeepStrictEqual(ours.value, reference.value);
  if (isSame) return;
  differing++;
  if (differing > Number(values.show)) return;
  if ("failed" in reference) console.log(explain(scenario));
  console.log(`--- ${i}\n${printScenario(scenario)}\n  reference: ${JSON.stringify(reference)}\n  ours:      ${JSON.stringify(ours)}`);
});
for (const [reason, count] of [...reasons].sort(([, a], [, b]) => b - a).slice(0, 12)) console.log(`${count} fail here with: ${reason}`);
for (const line of new Set(uncaught)) console.log(`not caught by the reference: ${line.trim()}`);
console.log(`${scenarios.length} scenarios, ${failed} of them fail in the reference, ${differing} differ`);
if (values.record !== undefined) {
  const lines = references.map((reference) => ("failed" in reference ? "null" : JSON.stringify({ value: reference.value })));
  writeFileSync(values.record, `{ "seed": ${values.seed}, "results": [\n${lines.join(",\n")}\n] }\n`);
}
if (differing > 0) process.exitCode = 1;
