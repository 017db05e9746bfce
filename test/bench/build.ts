/**
 * Realising many small derivations. Where `TSOS_REFERENCE` names a command that runs one of the reference
 * implementation (such as `reference-nix.sh run`), the same number is realised with it, without a sandbox.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { FinishedDerivation } from "../../core/derivation/finish-derivation.ts";
import { createBuildFixture, outputText, type BuildFixture } from "../core/build/build-fixture.ts";

const COUNT = 1000;
const JOBS = 2;

const numbers = Array.from({ length: COUNT }, (_, i) => i);

async function measure(derive: (fixture: BuildFixture, number: number) => Promise<FinishedDerivation>): Promise<number> {
  await using fixture = await createBuildFixture({
    builtins: {
      async write(context) {
        for (const folder of context.outputs.values()) writeFileSync(folder, context.env.get("name")!);
        return Promise.resolve();
      },
    },
  });
  const parts = await Promise.all(numbers.map((number) => derive(fixture, number)));
  const whole = await fixture.derive({ name: "whole", builder: "builtin:write", inputs: parts, env: { parts: parts.map((part) => outputText(part)).join(" ") } });
  const before = performance.now();
  await fixture.build([whole], { jobs: JOBS });
  return performance.now() - before;
}

/** Milliseconds the reference takes to realise as many, of which nothing is there yet. */
function measureReference(): number | undefined {
  const words = process.env["TSOS_REFERENCE"]?.split(" ").filter((word) => word !== "");
  if (words === undefined || words.length === 0) return undefined;
  const run = (...args: readonly string[]): string =>
    execFileSync(words[0]!, [...words.slice(1), ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 26 });
  const expression = `builtins.genList (n: derivation {
    name = "part-\${toString n}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; salt = "${Date.now()}";
  }) ${COUNT}`;
  const derivations = run("nix-instantiate", "-E", expression).trim().split("\n");
  const before = performance.now();
  run("nix-store", "-r", "-j", String(JOBS), "--option", "sandbox", "false", ...derivations);
  return performance.now() - before;
}

function withReference(ours: number): { ours: number; reference?: number } {
  const reference = measureReference();
  return reference === undefined ? { ours } : { ours, reference };
}

export const benchmarks: readonly { name: string; run(): Promise<{ ours: number; reference?: number }> }[] = [
  {
    name: `realise ${COUNT} builtin derivations`,
    run: async () => ({ ours: await measure((fixture, number) => fixture.derive({ name: `part-${number}`, builder: "builtin:write" })) }),
  },
  {
    name: `realise ${COUNT} sandboxed derivations`,
    run: async () => withReference(await measure((fixture, number) => fixture.derive({ name: `part-${number}`, script: "echo > $out" }))),
  },
  {
    name: `find ${COUNT} derivations realised`,
    async run() {
      await using fixture = await createBuildFixture({ builtins: { write: async (context) => writeFileSync(context.outputs.get("out")!, "") } });
      const parts = await Promise.all(numbers.map((number) => fixture.derive({ name: `part-${number}`, builder: "builtin:write" })));
      await fixture.build(parts);
      const before = performance.now();
      await fixture.build(parts);
      return { ours: performance.now() - before };
    },
  },
];
