import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder, syncFolder, writeDurably } from "./durable-file.ts";
import { ignoreAbsent } from "./machine-state.ts";
import type { UnitPlan } from "./unit-plan.ts";

/**
 * What a switch is about, on disk from before its first change until after its last. One that is found at the
 * next run belongs to a switch that was killed.
 */
export type JournalEntry = {
  readonly version: 1;
  readonly action: "switch" | "test";
  /** The toplevel that ran before, to go back to; null on a machine without one. */
  readonly from: string | null;
  readonly to: string;
  readonly direction: "forward" | "back";
  /** The step that was begun last. */
  readonly step: string;
  /** What units are to go through; carried on by the run that finds this. */
  readonly units: UnitPlan;
};

export type Journal = {
  find(): JournalEntry | undefined;
  write(entry: JournalEntry): void;
  remove(): void;
};

export function openJournal(file: string): Journal {
  return {
    find() {
      let text: string;
      try {
        text = readFileSync(file, "utf8");
      } catch (error) {
        ignoreAbsent(error);
        return undefined;
      }
      // It is replaced whole, so what does not parse was not written by this version.
      try {
        const entry = JSON.parse(text) as JournalEntry;
        return entry.version === 1 ? entry : undefined;
      } catch {
        return undefined;
      }
    },
    write(entry) {
      makeFolder(dirname(file), 0o755);
      writeDurably(file, `${JSON.stringify(entry, undefined, 2)}\n`, 0o600);
    },
    remove() {
      rmSync(file, { force: true });
      syncFolder(dirname(file));
    },
  };
}
