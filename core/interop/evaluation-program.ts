import { hash } from "node:crypto";
import { join } from "node:path";

/** Where the evaluator stands in the folder of what was built. */
export function evaluatorFile(folder: string): string {
  return join(folder, "nix-evaluator.cjs");
}

/** What tells an evaluator from any other: what it remembers on disk is for itself only. */
export function programOf(evaluator: Uint8Array): string {
  return hash("sha256", evaluator).slice(0, 32);
}
