import * as modules from "node:module";
import { libc, type NativeFunction } from "./libc.ts";

let end: NativeFunction | undefined;

/** Makes `endProcess` quick, which takes 10 ms: worth it in a process that has a large heap. */
export function prepareEnd(): void {
  try {
    end ??= libc().bind("void _exit(int)");
  } catch {
    // Then the process ends as others do.
  }
}

/**
 * Ends the process when all is done and written. Node would first end its threads and take their heaps apart, object by
 * object of what the system frees at once: a tenth of a second after a second's evaluation.
 */
export function endProcess(code: number): void {
  // Who profiles Node or counts what it ran gets that when it ends by itself.
  if (end === undefined || process.execArgv.length > 0 || process.env["NODE_OPTIONS"] !== undefined || process.env["NODE_V8_COVERAGE"] !== undefined) process.exit(code);
  process.emit("exit", code);
  // Node 22 and later keep compiled code when they end.
  (modules as { readonly flushCompileCache?: () => void }).flushCompileCache?.();
  end(code);
}
