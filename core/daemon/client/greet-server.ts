import { TsosError } from "../../error/tsos-error.ts";
import { protocolError, type WireReader } from "../wire/wire-reader.ts";
import type { WireWriter } from "../wire/wire-writer.ts";
import type { RemoteStream } from "./remote-connection.ts";

/** What begins one of the two protocols, and which of its versions are spoken. */
export type Greeting = {
  readonly clientMagic: number;
  readonly serverMagic: number;
  readonly major: number;
  readonly minor: number;
  readonly minimumMinor: number;
  /** The program that answers so, for people. */
  readonly program: string;
};

/** Says hello and gives the minor version that both speak. @throws TsosError `daemon.protocol`, `daemon.old-server` */
export async function greetServer(reader: WireReader, writer: WireWriter, { clientMagic, serverMagic, major, minor, minimumMinor, program }: Greeting): Promise<number> {
  writer.number(clientMagic).number((major << 8) | minor);
  await writer.flush();
  if ((await reader.bigint()) !== BigInt(serverMagic)) throw protocolError(`the other side does not answer as ${program} does`);
  const version = await reader.number();
  const spoken = Math.min(version & 0xff, minor);
  if (version >> 8 === major && spoken >= minimumMinor) return spoken;
  throw new TsosError({
    code: "daemon.old-server",
    message: `the other side speaks the protocol ${version >> 8}.${version & 0xff}, expected ${major}.${minimumMinor} or later`,
    hint: "Nix 2.4 or later has it",
  });
}

/** What went wrong between the two, in the other side's own words where it has any. */
export function cannotSpeak(stream: RemoteStream, cause: unknown): TsosError {
  const complaint = stream.complaint?.().trim() ?? "";
  return new TsosError({
    code: "daemon.cannot-connect",
    message: `cannot speak with the store "${stream.name}": ${complaint !== "" ? complaint : cause instanceof Error ? cause.message : String(cause)}`,
    data: { store: stream.name },
    cause,
  });
}
