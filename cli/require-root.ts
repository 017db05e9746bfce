import { TsosError } from "../core/error/tsos-error.ts";
import type { CommandContext } from "./context.ts";

/**
 * Told before anything is evaluated or built, which takes its time.
 * @throws TsosError `cli.needs-root` for everyone but root
 */
export function requireRoot(context: Pick<CommandContext, "uid">, command: string, reason: string, hint = "run it with sudo"): void {
  if (context.uid === 0) return;
  throw new TsosError({ code: "cli.needs-root", message: `"${command}" ${reason}, so it needs root`, hint });
}
