import type { Readable, Writable } from "node:stream";
import { setMaxListeners } from "node:events";
import { TsosError } from "../../error/tsos-error.ts";
import { CLIENT_MAGIC, MINIMUM_MINOR, OPERATION, PROTOCOL_MAJOR, PROTOCOL_MINOR, SERVER_MAGIC } from "../wire/protocol.ts";
import { protocolError, WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
import * as add from "./add-operations.ts";
import * as build from "./build-operations.ts";
import { MessageSender } from "./message-sender.ts";
import * as query from "./query-operations.ts";
import * as roots from "./root-operations.ts";
import { defaultSessionSettings, RequestFailed, type DaemonHost, type Session } from "./session.ts";
import { withClientSettings } from "./client-build-options.ts";
import { setOptions } from "./set-options.ts";

type Operation = (session: Session) => Promise<void>;

const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [OPERATION.isValidPath, query.isValidPath],
  [OPERATION.queryReferrers, query.queryReferrers],
  [OPERATION.addToStore, add.addToStore],
  [OPERATION.addTextToStore, add.addTextToStore],
  [OPERATION.buildPaths, build.buildPaths],
  [OPERATION.ensurePath, build.ensurePath],
  [OPERATION.addTempRoot, roots.addTempRoot],
  [OPERATION.addIndirectRoot, roots.addIndirectRoot],
  [OPERATION.syncWithGc, roots.syncWithGc],
  [OPERATION.findRoots, roots.findRoots],
  [OPERATION.queryDeriver, query.queryDeriver],
  [OPERATION.setOptions, setOptions],
  [OPERATION.collectGarbage, roots.collectGarbage],
  [OPERATION.querySubstitutablePathInfo, query.querySubstitutablePathInfo],
  [OPERATION.queryDerivationOutputs, query.queryDerivationOutputs],
  [OPERATION.queryAllValidPaths, query.queryAllValidPaths],
  [OPERATION.queryPathInfo, query.queryPathInfo],
  [OPERATION.queryDerivationOutputNames, query.queryDerivationOutputNames],
  [OPERATION.queryPathFromHashPart, query.queryPathFromHashPart],
  [OPERATION.querySubstitutablePathInfos, query.querySubstitutablePathInfos],
  [OPERATION.queryValidPaths, query.queryValidPaths],
  [OPERATION.querySubstitutablePaths, query.querySubstitutablePaths],
  [OPERATION.queryValidDerivers, query.queryValidDerivers],
  [OPERATION.optimiseStore, roots.optimiseStore],
  [OPERATION.verifyStore, roots.verifyStore],
  [OPERATION.buildDerivation, build.buildDerivationOfClient],
  [OPERATION.addSignatures, add.addSignatures],
  [OPERATION.narFromPath, query.narFromPath],
  [OPERATION.addToStoreNar, add.addToStoreNar],
  [OPERATION.queryMissing, build.queryMissing],
  [OPERATION.queryDerivationOutputMap, query.queryDerivationOutputMap],
  [OPERATION.registerDrvOutput, add.registerDrvOutput],
  [OPERATION.queryRealisation, add.queryRealisation],
  [OPERATION.addMultipleToStore, add.addMultipleToStore],
  [OPERATION.addBuildLog, add.addBuildLog],
  [OPERATION.buildPathsWithResults, build.buildPathsWithResults],
  [OPERATION.addPermRoot, roots.addPermRoot],
]);

export type Connection = { readonly input: Readable; readonly output: Writable; readonly trusted: boolean };

/**
 * Serves one client until it goes away; what it was having built is stopped then. A client that does not keep to the
 * protocol is told so and left.
 */
export async function serveConnection(host: DaemonHost, { input, output, trusted }: Connection): Promise<void> {
  const reader = new WireReader(input);
  const writer = new WireWriter(output);
  const messages = new MessageSender(writer);
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const leave = (): void => gone.abort(new TsosError({ code: "daemon.client-gone", message: "the client went away" }));
  for (const event of ["end", "close", "error"]) input.once(event, leave);
  output.once("close", leave);
  output.once("error", leave);
  try {
    const minor = await greet(host, reader, writer, trusted);
    await using store = await host.openStore();
    const session = makeSession({ host, store, trusted, minor, reader, writer, messages, signal: gone.signal });
    messages.start();
    messages.last();
    await writer.flush();
    while (!(await reader.atEnd())) {
      reader.renewBudget();
      await perform(session);
      await writer.flush();
    }
  } catch (error) {
    if (!gone.signal.aborted) {
      if (!(error instanceof TsosError)) host.onError?.(error);
      messages.fail(describe(error));
      await writer.flush().catch(() => undefined);
    }
  } finally {
    leave();
    await new Promise<void>((resolve) => {
      if (output.destroyed) resolve();
      else output.end(resolve).once("error", () => resolve());
    });
    input.destroy();
  }
}

async function greet(host: DaemonHost, reader: WireReader, writer: WireWriter, trusted: boolean): Promise<number> {
  if ((await reader.bigint()) !== BigInt(CLIENT_MAGIC)) throw protocolError("the client does not begin as a Nix client does");
  writer.number(SERVER_MAGIC).number((PROTOCOL_MAJOR << 8) | PROTOCOL_MINOR);
  await writer.flush();
  const version = await reader.number();
  const minor = Math.min(version & 0xff, PROTOCOL_MINOR);
  if (version >> 8 !== PROTOCOL_MAJOR || minor < MINIMUM_MINOR) throw new TsosError({ code: "daemon.old-client", message: "the Nix client version is too old", hint: "Nix 2.4 or later speaks with this daemon" });
  if (minor >= 38) {
    await reader.strings();
    writer.strings([]);
    await writer.flush();
  }
  // Once which processor to run on, and whether to keep space free.
  if (await reader.boolean()) await reader.bigint();
  await reader.bigint();
  if (minor >= 33) writer.text(host.version);
  if (minor >= 35) writer.number(trusted ? 1 : 2);
  return minor;
}

function makeSession(parts: Omit<Session, "settings" | "buildOptions" | "work" | "workWithFrames">): Session {
  const { host, store, reader, messages, signal } = parts;
  let settings = defaultSessionSettings;
  let options: ReturnType<Session["buildOptions"]> | undefined;
  return {
    ...parts,
    get settings() {
      return settings;
    },
    set settings(next) {
      settings = next;
      options = undefined;
    },
    // What an untrusted client has built reads no files of the machine for it.
    buildOptions: () => (options ??= host.buildOptions(store, settings, { signal, report: messages.report }).then((own) => {
      const all = withClientSettings(own, settings.others);
      return parts.trusted ? all : { ...all, localFiles: false };
    })),
    async work(run) {
      messages.start();
      try {
        const result = await run();
        messages.last();
        return result;
      } catch (error) {
        throw answer(error);
      }
    },
    async workWithFrames(run) {
      messages.start();
      const frames = reader.frames();
      let failure: { readonly error: unknown } | undefined;
      let result: Awaited<ReturnType<typeof run>> | undefined;
      try {
        result = await run(frames);
      } catch (error) {
        failure = { error };
      }
      await frames.drain();
      if (failure !== undefined) throw answer(failure.error);
      messages.last();
      return result as Awaited<ReturnType<typeof run>>;
    },
  };

  /** Tells the client, which may go on with something else. */
  function answer(error: unknown): Error {
    if (signal.aborted) return signal.reason as Error;
    if (error instanceof TsosError && error.code === "daemon.connection-lost") return error;
    if (!(error instanceof TsosError)) host.onError?.(error);
    messages.fail(describe(error));
    return new RequestFailed();
  }
}

async function perform(session: Session): Promise<void> {
  const number = await session.reader.number();
  const operation = OPERATIONS.get(number);
  // What follows cannot be read, so the connection ends with it.
  if (operation === undefined) throw protocolError(`invalid operation ${number}`);
  try {
    await operation(session);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof TsosError && error.hint !== undefined ? `${error.message}\nhint: ${error.hint}` : error.message;
}

