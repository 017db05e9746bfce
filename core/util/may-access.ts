import { accessSync, constants } from "node:fs";

/** Whether this process may write to a file or folder that is there, which a file system that is mounted read-only refuses to root too. */
export function mayWrite(path: string): boolean {
  return mayAccess(path, constants.W_OK);
}

/** Whether this process may run a file. */
export function mayRun(file: string): boolean {
  return mayAccess(file, constants.X_OK);
}

function mayAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
