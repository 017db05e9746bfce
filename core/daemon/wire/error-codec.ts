import { TsosError } from "../../error/tsos-error.ts";
import { LEVEL } from "./protocol.ts";
import { protocolError, type WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** An error in the form since 1.26, without position and trace. Nix: libutil/serialise.cc. */
export function writeError(writer: WireWriter, message: string): void {
  writer.text("Error").number(LEVEL.error).text("Error").text(message).number(0).number(0);
}

/** What the other side says went wrong; the connection can go on. */
export async function readError(reader: WireReader): Promise<TsosError> {
  const type = await reader.text();
  if (type !== "Error") throw protocolError(`"${type}" is no kind of error`);
  await reader.number();
  await reader.text();
  const message = stripColour(await reader.text());
  if ((await reader.number()) !== 0) throw protocolError("an error has a position");
  const traces = await reader.list(async () => {
    if ((await reader.number()) !== 0) throw protocolError("a trace has a position");
    return stripColour(await reader.text());
  });
  return new TsosError({ code: "daemon.remote-error", message: message.trimEnd(), data: traces.length === 0 ? {} : { traces } });
}

/** The reference colours what it says, whoever it says it to. */
export function stripColour(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}
