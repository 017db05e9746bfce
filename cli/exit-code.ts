/** What the program's exit code says. */
export const ExitCode = {
  done: 0,
  /** The user's input, evaluation or a build failed. */
  failed: 1,
  usage: 2,
  /** Activated, but a unit failed. */
  unitFailed: 3,
  /** A health check or a confirmation failed: the old generation runs. */
  reverted: 4,
  /** Takes effect at the next boot. */
  needsReboot: 5,
  interrupted: 130,
} as const;
