import { TsosError } from "../../error/tsos-error.ts";

/** What this client may not do, in the reference's words where it has some. */
export function refuse(message: string): TsosError {
  return new TsosError({ code: "daemon.refused", message });
}
