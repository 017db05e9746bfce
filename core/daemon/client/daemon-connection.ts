import { TsosError } from "../../error/tsos-error.ts";
import { formatHash } from "../../hash/hash.ts";
import { formatOutputId, formatRealisation, parseRealisation, type OutputId, type Realisation } from "../../narinfo/realisation.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ProgressListener } from "../../util/progress.ts";
import { writeBasicDerivation } from "../wire/basic-derivation.ts";
import { readBuildResult, type WireBuildResult } from "../wire/build-result.ts";
import { formatDerivedPath, type DerivedPath } from "../wire/derived-path.ts";
import { readPaths, writeOptionalContentAddress, writeOptionalPath, writePath, writePaths } from "../wire/path-codec.ts";
import { readUnkeyedPathInfo } from "../wire/path-info-codec.ts";
import { CLIENT_MAGIC, LEVEL, MINIMUM_MINOR, OPERATION, PROTOCOL_MAJOR, PROTOCOL_MINOR, RESULT, SERVER_MAGIC } from "../wire/protocol.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
import { readDaemonMessage, type DaemonMessage } from "./daemon-message.ts";
import { cannotSpeak, greetServer } from "./greet-server.ts";
import type { RemoteBuild, RemoteConnection, RemoteStream } from "./remote-connection.ts";

/** An answer may name every path of a large store. */
const ANSWER_BUDGET = 1024 * 1024 * 1024;

export type DaemonConnectionOptions = {
  readonly storeDir: string;
  readonly report?: ProgressListener | undefined;
  readonly keepFailed?: boolean | undefined;
  readonly keepGoing?: boolean | undefined;
  /** Let the other side substitute what it is to build; default true. */
  readonly useSubstitutes?: boolean | undefined;
};

/** What a client says of how its builds are done. */
export type DaemonClientOptions = {
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  readonly jobs: number;
  readonly cores: number;
  readonly useSubstitutes: boolean;
  /** Settings by Nix's names; a daemon heeds those that this user may set. */
  readonly settings: ReadonlyMap<string, string>;
};

export type AskOptions = {
  /** Sent after the request, as frames. */
  readonly frames?: AsyncIterable<Uint8Array> | undefined;
  readonly onMessage?: ((message: DaemonMessage) => void) | undefined;
};

/** The client's side of the daemon protocol. Nix: libstore/remote-store.cc. */
export class DaemonConnection implements RemoteConnection {
  readonly #stream: RemoteStream;
  readonly #reader: WireReader;
  readonly #writer: WireWriter;
  readonly storeDir: string;
  readonly #report: ProgressListener | undefined;
  #minor = PROTOCOL_MINOR;
  broken = false;
  trusted: boolean | undefined;
  /** As it names itself. */
  serverVersion = "";

  private constructor(stream: RemoteStream, { storeDir, report }: DaemonConnectionOptions) {
    this.#stream = stream;
    this.#reader = new WireReader(stream.input, ANSWER_BUDGET);
    this.#writer = new WireWriter(stream.output);
    this.storeDir = storeDir;
    this.#report = report;
  }

  /** @throws TsosError `daemon.cannot-connect`, `daemon.old-server` */
  static async open(stream: RemoteStream, options: DaemonConnectionOptions): Promise<DaemonConnection> {
    const connection = new DaemonConnection(stream, options);
    try {
      await connection.#greet(options);
      return connection;
    } catch (cause) {
      await stream.close();
      throw cannotSpeak(stream, cause);
    }
  }

  /** Of the version that both speak. */
  get minor(): number {
    return this.#minor;
  }

  async #greet({ keepFailed = false, keepGoing = false, useSubstitutes = true }: DaemonConnectionOptions): Promise<void> {
    const [reader, writer] = [this.#reader, this.#writer];
    this.#minor = await greetServer(reader, writer, { clientMagic: CLIENT_MAGIC, serverMagic: SERVER_MAGIC, major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR, minimumMinor: MINIMUM_MINOR, program: "a Nix daemon" });
    if (this.#minor >= 38) {
      writer.strings([]);
      await writer.flush();
      await reader.strings();
    }
    writer.number(0).number(0);
    await writer.flush();
    if (this.#minor >= 33) this.serverVersion = await reader.text();
    if (this.#minor >= 35) this.trusted = [undefined, true, false][await reader.number()];
    await this.#listen();
    await this.setOptions({ keepFailed, keepGoing, useSubstitutes, jobs: 1, cores: 0, settings: new Map() });
  }

  /** Counts for what is asked from now on. */
  async setOptions({ keepFailed, keepGoing, jobs, cores, useSubstitutes, settings }: DaemonClientOptions): Promise<void> {
    await this.ask(OPERATION.setOptions, (writer) => {
      writer.boolean(keepFailed).boolean(keepGoing).boolean(false).number(LEVEL.info);
      // No limit of silence; no build hook; what has no meaning any more; that builders' output is shown.
      writer.number(jobs).number(0).boolean(true).number(LEVEL.error).number(0).number(0);
      writer.number(cores).boolean(useSubstitutes);
      writer.list([...settings], ([name, value]) => writer.text(name).text(value));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broken = true;
    await this.#stream.close();
  }

  async isValidPath(path: StorePath): Promise<boolean> {
    return this.ask(OPERATION.isValidPath, (writer) => writePath(writer, path, this.storeDir), (reader) => reader.boolean());
  }

  async findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    return this.ask(
      OPERATION.queryPathInfo,
      (writer) => writePath(writer, path, this.storeDir),
      async (reader) => ((await reader.boolean()) ? readUnkeyedPathInfo(reader, path, this.storeDir) : undefined),
    );
  }

  async queryValidPaths(paths: readonly StorePath[], { substitute = false }: { readonly substitute?: boolean } = {}): Promise<Set<StorePath>> {
    return this.ask(
      OPERATION.queryValidPaths,
      (writer) => {
        writePaths(writer, paths, this.storeDir);
        writer.boolean(substitute);
      },
      async (reader) => new Set(await readPaths(reader, this.storeDir)),
    );
  }

  async *narFromPath(path: StorePath): AsyncGenerator<Uint8Array> {
    await this.ask(OPERATION.narFromPath, (writer) => writePath(writer, path, this.storeDir));
    // Whoever stops reading leaves the rest in the connection.
    this.broken = true;
    yield* this.#reader.nar();
    this.broken = false;
  }

  async addNar(info: NewPathInfo, nar: AsyncIterable<Uint8Array>): Promise<void> {
    await this.ask(
      OPERATION.addToStoreNar,
      (writer) => {
        writePath(writer, info.path, this.storeDir);
        writeOptionalPath(writer, info.deriver, this.storeDir);
        writer.string(formatHash(info.narHash, "base16"));
        writePaths(writer, info.references, this.storeDir);
        writer.number(info.registrationTime ?? 0).number(info.narSize).boolean(false);
        writer.strings(info.signatures ?? []);
        writeOptionalContentAddress(writer, info.contentAddress);
        // No repair; and our word is enough where the other side trusts us.
        writer.boolean(false).boolean(true);
      },
      undefined,
      { frames: nar },
    );
  }

  async buildPaths(targets: readonly DerivedPath[]): Promise<void> {
    await this.ask(OPERATION.buildPaths, (writer) => void writer.strings(targets.map((target) => formatDerivedPath(target, this.storeDir))).number(0), (reader) => reader.number());
  }

  async buildDerivation({ drvPath, derivation, inputs }: RemoteBuild, onLine: (line: string) => void): Promise<WireBuildResult> {
    return this.ask(
      OPERATION.buildDerivation,
      (writer) => {
        writePath(writer, drvPath, this.storeDir);
        writeBasicDerivation(writer, derivation, inputs, this.storeDir);
        writer.number(0);
      },
      (reader) => readBuildResult(reader, { minor: this.#minor }),
      {
        onMessage(message) {
          const [line] = message.kind === "result" && message.type === RESULT.buildLogLine ? message.fields : [];
          if (typeof line === "string") onLine(line);
        },
      },
    );
  }

  async findRealisation(id: OutputId): Promise<Realisation | undefined> {
    return this.ask(
      OPERATION.queryRealisation,
      (writer) => void writer.text(formatOutputId(id)),
      async (reader) => (await reader.list(() => reader.text())).map((text) => parseRealisation(text))[0],
    );
  }

  async addRealisation(realisation: Realisation): Promise<void> {
    await this.ask(OPERATION.registerDrvOutput, (writer) => void writer.text(formatRealisation(realisation)), undefined);
  }

  async addTemporaryRoot(path: StorePath): Promise<void> {
    await this.ask(OPERATION.addTempRoot, (writer) => writePath(writer, path, this.storeDir), (reader) => reader.number());
  }

  /**
   * One request: sends it, hears messages until its answer is next, reads that.
   *
   * @throws TsosError `daemon.remote-error` with what the other side says, after which the connection goes on
   */
  ask(operation: number, write: (writer: WireWriter) => void): Promise<undefined>;
  ask<T>(operation: number, write: (writer: WireWriter) => void, read: ((reader: WireReader) => Promise<T>) | undefined, options?: AskOptions): Promise<T>;
  async ask<T>(operation: number, write: (writer: WireWriter) => void, read?: (reader: WireReader) => Promise<T>, { frames, onMessage }: AskOptions = {}): Promise<T | undefined> {
    return this.#guard(async () => {
      this.#reader.renewBudget();
      this.#writer.number(operation);
      write(this.#writer);
      await this.#writer.flush();
      const answer = this.#listen(onMessage);
      if (frames !== undefined) await this.#sendFrames(frames, answer);
      await answer;
      return read?.(this.#reader);
    });
  }

  /** The same request many times: all are sent before the first answer is read. */
  async askMany<T>(operation: number, items: readonly T[], write: (writer: WireWriter, item: T) => void, read: (reader: WireReader) => Promise<unknown>): Promise<void> {
    await this.#guard(async () => {
      for (const item of items) write(this.#writer.number(operation), item);
      await this.#writer.flush();
      let refusal: TsosError | undefined;
      for (let i = 0; i < items.length; i++) {
        this.#reader.renewBudget();
        try {
          await this.#listen();
          await read(this.#reader);
        } catch (error) {
          // The answers to the others still come.
          if (!(error instanceof TsosError) || error.code !== "daemon.remote-error") throw error;
          refusal ??= error;
        }
      }
      if (refusal !== undefined) throw refusal;
    });
  }

  async #sendFrames(frames: AsyncIterable<Uint8Array>, answer: Promise<void>): Promise<void> {
    let refused = false;
    answer.catch(() => (refused = true));
    for await (const chunk of frames) {
      // It says why in its answer; the frames still need their end.
      if (refused) break;
      if (chunk.length === 0) continue;
      this.#writer.number(chunk.length).raw(chunk);
      await this.#writer.flush();
    }
    this.#writer.number(0);
    await this.#writer.flush();
  }

  /** After what is no answer of the other side nobody knows where in the stream one is. */
  async #guard<T>(run: () => Promise<T>): Promise<T> {
    if (this.broken) throw new TsosError({ code: "daemon.connection-lost", message: `the connection to "${this.#stream.name}" is lost` });
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof TsosError) || error.code !== "daemon.remote-error") {
        this.broken = true;
        await this.#stream.close();
      }
      throw error;
    }
  }

  /** @throws TsosError `daemon.remote-error` with what the other side says */
  async #listen(onMessage?: (message: DaemonMessage) => void): Promise<void> {
    for (;;) {
      const message = await readDaemonMessage(this.#reader);
      if (message.kind === "last") return;
      if (message.kind !== "text") onMessage?.(message);
      else if (message.text.startsWith("warning: ")) this.#report?.({ kind: "message", level: "warning", text: message.text.slice("warning: ".length) });
      else this.#report?.({ kind: "message", level: "debug", text: message.text });
    }
  }
}
