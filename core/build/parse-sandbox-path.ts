import type { SandboxPath } from "./sandbox.ts";

/** One word of Nix's setting `sandbox-paths`: `SHOWN`, `SHOWN=REAL`, with `?` at the end for what need not be there. */
export function parseSandboxPath(entry: string): SandboxPath {
  const optional = entry.endsWith("?");
  const [shown, real] = (optional ? entry.slice(0, -1) : entry).split("=", 2) as [string, string | undefined];
  return { shown, real: real ?? shown, optional };
}
