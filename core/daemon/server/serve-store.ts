import type { Readable, Writable } from "node:stream";
import type { BuildOptions } from "../../build/build-options.ts";
import { realise } from "../../build/realise.ts";
import { substitutePaths } from "../../build/substitute-paths.ts";
import { TsosError } from "../../error/tsos-error.ts";
import { formatHash, parseHash } from "../../hash/hash.ts";
import type { LocalStore } from "../../store/store.ts";
import { readBasicDerivation } from "../wire/basic-derivation.ts";
import { writeBuildResult } from "../wire/build-result.ts";
import { parseDerivedPath } from "../wire/derived-path.ts";
import { readOptionalContentAddress, readOptionalPath, readPath, readPaths, writeOptionalContentAddress, writeOptionalPath, writePath, writePaths } from "../wire/path-codec.ts";
import { SERVE } from "../wire/serve-protocol.ts";
import { protocolError, WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
import { buildDerivationAt } from "./build-operations.ts";

export type ServeOptions = {
  readonly store: LocalStore;
  readonly input: Readable;
  readonly output: Writable;
  /** Whether the client may add and build. */
  readonly write: boolean;
  readonly signal: AbortSignal;
  /** What a build is done with; the client says whether the folder of a failed one stays. */
  buildOptions(client: { readonly keepFailed: boolean }): Promise<BuildOptions>;
  /** The exit code that the classic commands give a failed build. */
  readonly statusOf: (error: TsosError) => number;
};

type Serving = ServeOptions & { readonly reader: WireReader; readonly writer: WireWriter; readonly minor: number };

/**
 * The older protocol, `nix-store --serve`, which `ssh://` stores speak; one client, until it goes away. What it is
 * refused ends the connection. Nix: nix-store/nix-store.cc, opServe
 *
 * @throws TsosError `daemon.protocol`, `daemon.refused`, and what its requests fail with
 */
export async function serveStore(options: ServeOptions): Promise<void> {
  const reader = new WireReader(options.input);
  const writer = new WireWriter(options.output);
  if ((await reader.bigint()) !== BigInt(SERVE.clientMagic)) throw protocolError("the client does not begin as one of this protocol does");
  writer.number(SERVE.serverMagic).number((SERVE.major << 8) | SERVE.minor);
  await writer.flush();
  const version = await reader.number();
  const minor = Math.min(version & 0xff, SERVE.minor);
  if (version >> 8 !== SERVE.major) throw protocolError(`the client speaks version ${version >> 8} of this protocol, expected ${SERVE.major}`);
  const serving: Serving = { ...options, reader, writer, minor };
  while (!(await reader.atEnd())) {
    reader.renewBudget();
    await answer(serving, await reader.number());
    await writer.flush();
  }
}

async function answer(serving: Serving, command: number): Promise<void> {
  switch (command) {
    case SERVE.queryValidPaths: return queryValidPaths(serving);
    case SERVE.queryPathInfos: return queryPathInfos(serving);
    case SERVE.dumpStorePath: return serving.writer.stream(serving.store.narFromPath(await readPath(serving.reader, serving.store.storeDir)));
    case SERVE.importPaths: return importStream(serving);
    case SERVE.buildPaths: return buildPaths(serving);
    case SERVE.queryClosure: return queryClosure(serving);
    case SERVE.buildDerivation: return buildDerivation(serving);
    case SERVE.addToStoreNar: return addToStoreNar(serving);
    default: throw protocolError(`unknown serve command ${command}`);
  }
}

function requireWrite({ write }: Serving, what: string): void {
  if (!write) throw new TsosError({ code: "daemon.refused", message: `${what} is not allowed` });
}

async function queryValidPaths({ store, reader, writer, write, buildOptions }: Serving): Promise<void> {
  const lock = await reader.boolean();
  const substitute = await reader.boolean();
  const paths = await readPaths(reader, store.storeDir);
  if (lock && write) await store.addTemporaryRoot(...paths);
  let valid = await store.queryValidPaths(paths);
  const missing = paths.filter((path) => !valid.has(path));
  if (substitute && write && missing.length > 0) {
    await substitutePaths(store, missing, await buildOptions({ keepFailed: false }), { keepGoing: true });
    valid = await store.queryValidPaths(paths);
  }
  writePaths(writer, valid, store.storeDir);
}

async function queryPathInfos({ store, reader, writer, minor }: Serving): Promise<void> {
  for (const path of await readPaths(reader, store.storeDir)) {
    const info = await store.findPathInfo(path);
    if (info === undefined) continue;
    writePath(writer, path, store.storeDir);
    writeOptionalPath(writer, info.deriver, store.storeDir);
    writePaths(writer, info.references, store.storeDir);
    // How much would be fetched: nobody knows.
    writer.number(info.narSize).number(info.narSize);
    if (minor >= 4) {
      writer.string(formatHash(info.narHash, "nix32", true));
      writeOptionalContentAddress(writer, info.contentAddress);
      writer.strings(info.signatures);
    }
  }
  writer.string("");
}

async function importStream(serving: Serving): Promise<void> {
  requireWrite(serving, "importing paths");
  throw new TsosError({ code: "daemon.unsupported", message: "this client sends exported paths, as Nix before 2.1 did", hint: "nix-store --import takes such a stream" });
}

async function queryClosure({ store, reader, writer }: Serving): Promise<void> {
  const includeOutputs = await reader.boolean();
  const paths = await readPaths(reader, store.storeDir);
  writePaths(writer, [...(await store.closure(paths, { includeOutputs }))].sort(), store.storeDir);
}

async function addToStoreNar(serving: Serving): Promise<void> {
  requireWrite(serving, "importing paths");
  const { store, reader, writer } = serving;
  const path = await readPath(reader, store.storeDir);
  const deriver = await readOptionalPath(reader, store.storeDir);
  const narHash = parseHash(await reader.string(256), "sha256");
  const references = await readPaths(reader, store.storeDir);
  const registrationTime = await reader.number();
  const narSize = await reader.number();
  const ultimate = await reader.boolean();
  const signatures = await reader.strings();
  const contentAddress = await readOptionalContentAddress(reader);
  if (narSize === 0) throw protocolError("narInfo is too old and missing the narSize field");
  const nar = reader.section(narSize);
  await store.addNarToStore({ path, deriver, narHash, narSize, references: [...new Set(references)].sort(), registrationTime, ultimate, signatures, contentAddress }, nar);
  await nar.drain();
  await store.flush();
  writer.number(1);
}

/** Limits of silence, time and log, repetitions: there, and of no effect here. */
async function readBuildOptions({ reader, minor }: Serving): Promise<{ readonly keepFailed: boolean }> {
  await reader.number();
  await reader.number();
  if (minor >= 2) await reader.number();
  if (minor >= 3) {
    if ((await reader.number()) !== 0) throw protocolError("client requested repeating builds, but this is not currently implemented");
    await reader.boolean();
  }
  return { keepFailed: minor >= 7 && (await reader.boolean()) };
}

async function buildPaths(serving: Serving): Promise<void> {
  requireWrite(serving, "building paths");
  const { store, reader, writer, statusOf } = serving;
  const targets = (await reader.strings()).map((text) => parseDerivedPath(text.includes("!") || !text.endsWith(".drv") ? text : `${text}!*`, store.storeDir));
  const options = await serving.buildOptions(await readBuildOptions(serving));
  try {
    const opaque = targets.flatMap((target) => (target.kind === "opaque" ? [target.path] : []));
    const valid = await store.queryValidPaths(opaque);
    const missing = opaque.filter((path) => !valid.has(path));
    if (missing.length > 0) await substitutePaths(store, missing, options);
    const built = targets.flatMap((target) => (target.kind === "built" ? [target] : []));
    if (built.length > 0) await realise(store, built, options);
    await store.flush();
    writer.number(0);
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    writer.number(statusOf(error)).text(error.message);
  }
}

async function buildDerivation(serving: Serving): Promise<void> {
  requireWrite(serving, "building paths");
  const { store, reader, writer, signal, minor } = serving;
  const path = await readPath(reader, store.storeDir);
  const derivation = await readBasicDerivation(reader, path, store.storeDir);
  const options = await serving.buildOptions(await readBuildOptions(serving));
  // A queue of builds elsewhere asks for this: what it does not send is not to be fetched.
  const session = { store, signal, messages: { report: options.report ?? ((): void => undefined) }, buildOptions: async () => ({ ...options, substituter: undefined }) };
  const result = await buildDerivationAt(session, path, derivation, "normal", Math.floor(Date.now() / 1000));
  // The results of both protocols are alike: that of 2.6 is that of 1.29, that before has no outputs.
  if (minor >= 6) writeBuildResult(writer, result, { minor: 29 });
  else {
    writeBuildResult(writer, result, { minor: 27 });
    if (minor >= 3) writer.number(result.timesBuilt).boolean(result.isNonDeterministic).number(result.startTime).number(result.stopTime);
  }
}
