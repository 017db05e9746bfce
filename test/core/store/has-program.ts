import { execFileSync } from "node:child_process";

/** Whether `program --version` runs on this machine. */
export function hasProgram(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
