import { join } from "node:path";
import { makeFolder, replaceLink, syncFolder } from "./durable-file.ts";
import type { MachineRoot } from "./machine-state.ts";

const ROOTS = "/nix/var/nix/gcroots";

/**
 * Links that keep alive what a switch goes from and to. While one is under way no profile may name either, and
 * its caller, who keeps what it built, may be gone. When none is, both lead to what runs, so that a collector
 * outside the machine, where its /run is not seen, knows that too.
 */
export const ACTIVATION_ROOTS = { from: join(ROOTS, "tsos-from"), to: join(ROOTS, "tsos-to") } as const;

/** Before the first change: both generations outlive a garbage collection. */
export function holdGenerations(root: MachineRoot, from: string | null, to: string): void {
  makeFolder(join(root, ROOTS));
  replaceLink(from ?? to, join(root, ACTIVATION_ROOTS.from));
  replaceLink(to, join(root, ACTIVATION_ROOTS.to));
  syncFolder(join(root, ROOTS));
}

/** After the last change: only what runs is held. */
export function holdRunning(root: MachineRoot, toplevel: string): void {
  holdGenerations(root, null, toplevel);
}
