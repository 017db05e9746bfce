import { formatOutputId, formatRealisation, parseRealisation } from "../../narinfo/realisation.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { WireVersion } from "./protocol.ts";
import { protocolError, type WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Nix: libstore/build-result.hh, in the order of their numbers. */
const STATUSES = [
  "Built",
  "Substituted",
  "AlreadyValid",
  "PermanentFailure",
  "InputRejected",
  "OutputRejected",
  "TransientFailure",
  "CachedFailure",
  "TimedOut",
  "MiscFailure",
  "DependencyFailed",
  "LogLimitExceeded",
  "NotDeterministic",
  "ResolvesToAlreadyValid",
  "NoSubstituters",
] as const;

export type BuildStatus = (typeof STATUSES)[number];

const SUCCESSES: ReadonlySet<BuildStatus> = new Set<BuildStatus>(["Built", "Substituted", "AlreadyValid", "ResolvesToAlreadyValid"]);

export function isSuccess(status: BuildStatus): boolean {
  return SUCCESSES.has(status);
}

export type WireBuildResult = {
  readonly status: BuildStatus;
  readonly errorMessage: string;
  readonly timesBuilt: number;
  readonly isNonDeterministic: boolean;
  /** Seconds since 1970. */
  readonly startTime: number;
  readonly stopTime: number;
  /** Microseconds. */
  readonly cpuUser?: number | undefined;
  readonly cpuSystem?: number | undefined;
  readonly builtOutputs: ReadonlyMap<string, BuiltOutputResult>;
};

export type BuiltOutputResult = {
  readonly path: StorePath;
  /** The derivation's hash, base-16, under which the output goes in the protocol; only floating outputs have a use for it. */
  readonly derivationHash: string;
  readonly signatures: readonly string[];
};

/** Where nobody needs the hash, which reads all derivations below it. */
export const NO_DERIVATION_HASH = "0".repeat(64);

export async function readBuildResult(reader: WireReader, { minor }: Pick<WireVersion, "minor">): Promise<WireBuildResult> {
  const number = await reader.number();
  const status = STATUSES[number];
  if (status === undefined) throw protocolError(`${number} is no status of a build`);
  const errorMessage = await reader.text();
  const has29 = minor >= 29;
  const timesBuilt = has29 ? await reader.number() : 0;
  const isNonDeterministic = has29 ? await reader.boolean() : false;
  const startTime = has29 ? await reader.number() : 0;
  const stopTime = has29 ? await reader.number() : 0;
  const cpuUser = minor >= 37 ? await readOptionalNumber(reader) : undefined;
  const cpuSystem = minor >= 37 ? await readOptionalNumber(reader) : undefined;
  const builtOutputs = new Map<string, BuiltOutputResult>();
  if (minor >= 28) {
    for (const [id, text] of await reader.map(() => reader.text())) {
      const mark = id.indexOf("!");
      if (mark < 0) throw protocolError(`"${id}" is no output of a derivation`);
      const { path, signatures } = parseRealisation(text);
      builtOutputs.set(id.slice(mark + 1), { path, signatures, derivationHash: id.slice(id.indexOf(":") + 1, mark) });
    }
  }
  return { status, errorMessage, timesBuilt, isNonDeterministic, startTime, stopTime, cpuUser, cpuSystem, builtOutputs };
}

export function writeBuildResult(writer: WireWriter, result: WireBuildResult, { minor }: Pick<WireVersion, "minor">): void {
  writer.number(STATUSES.indexOf(result.status)).text(result.errorMessage);
  if (minor >= 29) writer.number(result.timesBuilt).boolean(result.isNonDeterministic).number(result.startTime).number(result.stopTime);
  if (minor >= 37) {
    writeOptionalNumber(writer, result.cpuUser);
    writeOptionalNumber(writer, result.cpuSystem);
  }
  if (minor < 28) return;
  const entries = [...result.builtOutputs].map(([name, output]) => [formatOutputId({ ...output, output: name }), { ...output, output: name }] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  writer.list(entries, ([id, output]) => writer.text(id).text(formatRealisation(output)));
}

async function readOptionalNumber(reader: WireReader): Promise<number | undefined> {
  const tag = await reader.number();
  if (tag > 1) throw protocolError(`${tag} says neither that a value follows nor that none does`);
  return tag === 0 ? undefined : await reader.number();
}

function writeOptionalNumber(writer: WireWriter, value: number | undefined): void {
  if (value === undefined) writer.number(0);
  else writer.number(1).number(value);
}
