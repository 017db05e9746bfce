import { rmSync } from "node:fs";
import { join } from "node:path";
import { planActivation } from "./activation-plan.ts";
import { holdRunning } from "./activation-roots.ts";
import { checkRoot, FILE_STEPS } from "./activation-steps.ts";
import { type MachineRoot, STATE_FOLDER } from "./machine-state.ts";
import { readManifest } from "./read-manifest.ts";

export type BootOptions = {
  readonly toplevel: string;
  readonly root: MachineRoot;
  readonly report: (line: string) => void;
};

/**
 * What `<toplevel>/init` does before systemd starts: the files of the generation, without units. A step that fails
 * is reported and the next one runs, since a machine that comes up can be mended. Returns whether all went well.
 */
export async function activateAtBoot({ toplevel, root, report }: BootOptions): Promise<boolean> {
  const manifest = readManifest(toplevel);
  checkRoot(root, manifest);
  // A switch that was under way when the machine went down is over: this boot says what runs.
  rmSync(join(root, STATE_FOLDER, "activation.json"), { force: true });
  const plan = planActivation({ root, from: undefined, to: { toplevel, manifest }, states: undefined });
  let good = true;
  const warn = (line: string): void => report(`warning: ${line}`);
  for (const { name, run } of FILE_STEPS) {
    try {
      await run({ root, live: root === "", toplevel, manifest, plan, action: "init", report: () => {}, warn });
    } catch (error) {
      good = false;
      report(`error: the step "${name}" failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  holdRunning(root, toplevel);
  return good;
}
