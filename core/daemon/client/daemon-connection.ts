import { TsosError } from "../../error/tsos-error.ts";
import { formatHash } from "../../hash/hash.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ProgressListener } from "../../util/progress.ts";
import { writeBasicDerivation } from "../wire/basic-derivation.ts";
import { readBuildResult, type WireBuildResult } from "../wire/build-result.ts";
import { formatDerivedPath, type DerivedPath } from "../wire/derived-path.ts";
import { readError, stripColour } from "../wire/error-codec.ts";
import { readPaths, writeOptionalContentAddress, writeOptionalPath, writePath, writePaths } from "../wire/path-codec.ts";
import { readUnkeyedPathInfo } from "../wire/path-info-codec.ts";
import { CLIENT_MAGIC, LEVEL, MESSAGE, MINIMUM_MINOR, OPERATION, PROTOCOL_MAJOR, PROTOCOL_MINOR, RESULT, SERVER_MAGIC } from "../wire/protocol.ts";
import { protocolError, WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
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

/** The client's side of the daemon protocol. Nix: libstore/remote-store.cc. */
export class DaemonConnection implements RemoteConnection {
  readonly #stream: RemoteStream;
  readonly #reader: WireReader;
  readonly #writer: WireWriter;
  readonly #storeDir: string;
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
    this.#storeDir = storeDir;
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
      const complaint = stream.complaint?.().trim() ?? "";
      throw new TsosError({
        code: "daemon.cannot-connect",
        message: `cannot speak with the store "${stream.name}": ${complaint !== "" ? complaint : cause instanceof Error ? cause.message : String(cause)}`,
        data: { store: stream.name },
        cause,
      });
    }
  }

  async #greet({ keepFailed = false, keepGoing = false, useSubstitutes = true }: DaemonConnectionOptions): Promise<void> {
    const [reader, writer] = [this.#reader, this.#writer];
    writer.number(CLIENT_MAGIC).number((PROTOCOL_MAJOR << 8) | PROTOCOL_MINOR);
    await writer.flush();
    if ((await reader.bigint()) !== BigInt(SERVER_MAGIC)) throw protocolError("the other side does not answer as a Nix daemon does");
    const version = await reader.number();
    this.#minor = Math.min(version & 0xff, PROTOCOL_MINOR);
    if (version >> 8 !== PROTOCOL_MAJOR || this.#minor < MINIMUM_MINOR) {
      throw new TsosError({ code: "daemon.old-server", message: `the daemon speaks the protocol ${version >> 8}.${version & 0xff}, expected 1.${MINIMUM_MINOR} or later`, hint: "Nix 2.4 or later has it" });
    }
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
    await this.#request(OPERATION.setOptions, () => {
      writer.boolean(keepFailed).boolean(keepGoing).boolean(false).number(LEVEL.info);
      // One job at once as seen from here; no limit of silence; no build hook; the rest has no meaning any more.
      writer.number(1).number(0).boolean(true).number(LEVEL.error).number(0).number(0);
      writer.number(0).boolean(useSubstitutes).number(0);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broken = true;
    await this.#stream.close();
  }

  async isValidPath(path: StorePath): Promise<boolean> {
    await this.#request(OPERATION.isValidPath, () => writePath(this.#writer, path, this.#storeDir));
    return this.#read(() => this.#reader.boolean());
  }

  async findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    await this.#request(OPERATION.queryPathInfo, () => writePath(this.#writer, path, this.#storeDir));
    return this.#read(async () => ((await this.#reader.boolean()) ? readUnkeyedPathInfo(this.#reader, path, this.#storeDir) : undefined));
  }

  async queryValidPaths(paths: readonly StorePath[], { substitute = false }: { readonly substitute?: boolean } = {}): Promise<Set<StorePath>> {
    await this.#request(OPERATION.queryValidPaths, () => {
      writePaths(this.#writer, paths, this.#storeDir);
      this.#writer.boolean(substitute);
    });
    return this.#read(async () => new Set(await readPaths(this.#reader, this.#storeDir)));
  }

  async *narFromPath(path: StorePath): AsyncGenerator<Uint8Array> {
    await this.#request(OPERATION.narFromPath, () => writePath(this.#writer, path, this.#storeDir));
    // Whoever stops reading leaves the rest in the connection.
    this.broken = true;
    yield* this.#reader.nar();
    this.broken = false;
  }

  async addNar(info: NewPathInfo, nar: AsyncIterable<Uint8Array>): Promise<void> {
    const writer = this.#writer;
    await this.#request(
      OPERATION.addToStoreNar,
      () => {
        writePath(writer, info.path, this.#storeDir);
        writeOptionalPath(writer, info.deriver, this.#storeDir);
        writer.string(formatHash(info.narHash, "base16"));
        writePaths(writer, info.references, this.#storeDir);
        writer.number(info.registrationTime ?? 0).number(info.narSize).boolean(false);
        writer.strings(info.signatures ?? []);
        writeOptionalContentAddress(writer, info.contentAddress);
        // No repair; and our word is enough where the other side trusts us.
        writer.boolean(false).boolean(true);
      },
      { frames: nar },
    );
  }

  async buildPaths(targets: readonly DerivedPath[]): Promise<void> {
    await this.#request(OPERATION.buildPaths, () => {
      this.#writer.strings(targets.map((target) => formatDerivedPath(target, this.#storeDir))).number(0);
    });
    await this.#read(() => this.#reader.number());
  }

  async buildDerivation({ drvPath, derivation, inputs }: RemoteBuild, onLine: (line: string) => void): Promise<WireBuildResult> {
    await this.#request(
      OPERATION.buildDerivation,
      () => {
        writePath(this.#writer, drvPath, this.#storeDir);
        writeBasicDerivation(this.#writer, derivation, inputs, this.#storeDir);
        this.#writer.number(0);
      },
      { onLine },
    );
    return this.#read(() => readBuildResult(this.#reader, { minor: this.#minor }));
  }

  async addTemporaryRoot(path: StorePath): Promise<void> {
    await this.#request(OPERATION.addTempRoot, () => writePath(this.#writer, path, this.#storeDir));
    await this.#read(() => this.#reader.number());
  }

  /** Sends a request and hears messages until its answer is next. */
  async #request(operation: number, write: () => void, options: { readonly frames?: AsyncIterable<Uint8Array>; readonly onLine?: (line: string) => void } = {}): Promise<void> {
    await this.#guard(async () => {
      this.#reader.renewBudget();
      this.#writer.number(operation);
      write();
      await this.#writer.flush();
      const answer = this.#listen(options.onLine);
      if (options.frames !== undefined) {
        let refused = false;
        answer.catch(() => (refused = true));
        for await (const chunk of options.frames) {
          // It says why in its answer; the frames still need their end.
          if (refused) break;
          if (chunk.length === 0) continue;
          this.#writer.number(chunk.length).raw(chunk);
          await this.#writer.flush();
        }
        this.#writer.number(0);
        await this.#writer.flush();
      }
      await answer;
    });
  }

  #read<T>(read: () => Promise<T>): Promise<T> {
    return this.#guard(read);
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
  async #listen(onLine?: (line: string) => void): Promise<void> {
    const reader = this.#reader;
    for (;;) {
      const kind = await reader.number();
      reader.renewBudget();
      switch (kind) {
        case MESSAGE.last:
          return;
        case MESSAGE.error:
          throw await readError(reader);
        case MESSAGE.next: {
          const text = stripColour(await reader.text()).trimEnd();
          if (text.startsWith("warning: ")) this.#report?.({ kind: "message", level: "warning", text: text.slice("warning: ".length) });
          else this.#report?.({ kind: "message", level: "debug", text });
          break;
        }
        case MESSAGE.startActivity:
          await reader.number();
          await reader.number();
          await reader.number();
          await reader.text();
          await this.#fields();
          await reader.number();
          break;
        case MESSAGE.stopActivity:
          await reader.number();
          break;
        case MESSAGE.result: {
          await reader.number();
          const type = await reader.number();
          const [line] = await this.#fields();
          if (type === RESULT.buildLogLine && typeof line === "string") onLine?.(line);
          break;
        }
        default:
          throw protocolError(`0x${kind.toString(16)} is no message of a daemon`);
      }
    }
  }

  #fields(): Promise<(string | bigint)[]> {
    return this.#reader.list(async () => {
      const type = await this.#reader.number();
      if (type > 1) throw protocolError(`${type} is no type of a field`);
      return type === 0 ? this.#reader.bigint() : this.#reader.text();
    });
  }
}
