import { readFileSync } from "node:fs";

/** Milliseconds of processor time that a process that runs has had, to 10. */
export function processCpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  // In hundredths of a second, on every Linux.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
