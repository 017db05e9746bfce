import { colourReport } from "../nix/colour-report.ts";
import type { ByteString } from "../util/bytes.ts";
import type { EvaluationSettings } from "./evaluation-protocol.ts";
import { formatLogMessage } from "./json-log.ts";
import { writeWhole } from "./write-whole.ts";

/** Writes what an evaluation says, as whoever reads standard error wants it. */
export function writeLog({ colours, logsJson }: Pick<EvaluationSettings, "colours" | "logsJson">, text: ByteString): void {
  if (logsJson === true) writeWhole(2, formatLogMessage(text));
  else writeWhole(2, colours === true && /^(evaluation )?warning: |^error:/.test(text) ? colourReport(text) : text);
}
