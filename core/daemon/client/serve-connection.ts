import { TsosError } from "../../error/tsos-error.ts";
import { formatHash, parseHash } from "../../hash/hash.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import { parseStorePath, type StorePath } from "../../store-path/store-path.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { writeBasicDerivation } from "../wire/basic-derivation.ts";
import { readBuildResult, type WireBuildResult } from "../wire/build-result.ts";
import { readOptionalContentAddress, readOptionalPath, readPaths, writeOptionalContentAddress, writeOptionalPath, writePath, writePaths } from "../wire/path-codec.ts";
import { SERVE } from "../wire/serve-protocol.ts";
import { protocolError, WireReader } from "../wire/wire-reader.ts";
import { WireWriter } from "../wire/wire-writer.ts";
import { cannotSpeak, greetServer } from "./greet-server.ts";
import type { RemoteBuild, RemoteConnection, RemoteStream } from "./remote-connection.ts";

/** 2.5: Nix 2.1. */
const MINIMUM_MINOR = 5;

/** The client's side of the older protocol, which `nix-store --serve --write` speaks; errors there end the connection. */
export class ServeConnection implements RemoteConnection {
  readonly #stream: RemoteStream;
  readonly #reader: WireReader;
  readonly #writer: WireWriter;
  readonly #storeDir: string;
  #minor: number = SERVE.minor;
  broken = false;
  readonly trusted = undefined;

  private constructor(stream: RemoteStream, storeDir: string) {
    this.#stream = stream;
    this.#reader = new WireReader(stream.input, 256 * 1024 * 1024);
    this.#writer = new WireWriter(stream.output);
    this.#storeDir = storeDir;
  }

  /** @throws TsosError `daemon.cannot-connect` */
  static async open(stream: RemoteStream, storeDir: string): Promise<ServeConnection> {
    const connection = new ServeConnection(stream, storeDir);
    await connection.#guard(async () => {
      connection.#minor = await greetServer(connection.#reader, connection.#writer, { ...SERVE, minimumMinor: MINIMUM_MINOR, program: '"nix-store --serve"' });
    });
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broken = true;
    await this.#stream.close();
  }

  findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    return this.#ask(
      SERVE.queryPathInfos,
      (writer) => writePaths(writer, [path], this.#storeDir),
      async (reader) => {
        let info: ValidPathInfo | undefined;
        for (let text = await reader.string(); text !== ""; text = await reader.string()) info = await this.#readInfo(parseStorePath(text, this.#storeDir));
        return info;
      },
    );
  }

  async #readInfo(path: StorePath): Promise<ValidPathInfo> {
    const reader = this.#reader;
    const deriver = await readOptionalPath(reader, this.#storeDir);
    const references = (await readPaths(reader, this.#storeDir)).sort(compareByteStrings);
    await reader.number();
    const narSize = await reader.number();
    const narHash = parseHash(await reader.string(256), "sha256");
    const contentAddress = await readOptionalContentAddress(reader);
    const signatures = await reader.strings();
    return { path, deriver, references, narSize, narHash, contentAddress, signatures, registrationTime: 0, ultimate: false };
  }

  queryValidPaths(paths: readonly StorePath[], { substitute = false }: { readonly substitute?: boolean } = {}): Promise<Set<StorePath>> {
    return this.#ask(
      SERVE.queryValidPaths,
      (writer) => {
        // Kept alive there for as long as we stay.
        writer.boolean(true).boolean(substitute);
        writePaths(writer, paths, this.#storeDir);
      },
      async (reader) => new Set(await readPaths(reader, this.#storeDir)),
    );
  }

  async *narFromPath(path: StorePath): AsyncGenerator<Uint8Array> {
    await this.#ask(SERVE.dumpStorePath, (writer) => writePath(writer, path, this.#storeDir), async () => {});
    this.broken = true;
    yield* this.#reader.nar();
    this.broken = false;
  }

  async addNar(info: NewPathInfo, nar: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#guard(async () => {
      const writer = this.#writer.number(SERVE.addToStoreNar);
      writePath(writer, info.path, this.#storeDir);
      writeOptionalPath(writer, info.deriver, this.#storeDir);
      writer.string(formatHash(info.narHash, "base16"));
      writePaths(writer, info.references, this.#storeDir);
      writer.number(info.registrationTime ?? 0).number(info.narSize).boolean(false).strings(info.signatures ?? []);
      writeOptionalContentAddress(writer, info.contentAddress);
      await writer.stream(nar);
      await writer.flush();
      if ((await this.#reader.number()) !== 1) throw protocolError("the other side did not take the path");
    });
  }

  buildDerivation({ drvPath, derivation, inputs }: RemoteBuild, _onLine: (line: string) => void): Promise<WireBuildResult> {
    return this.#ask(
      SERVE.buildDerivation,
      (writer) => {
        writePath(writer, drvPath, this.#storeDir);
        writeBasicDerivation(writer, derivation, inputs, this.#storeDir);
        // Limits of silence, time and log: none. Not repeated, no folder kept.
        writer.number(0).number(0).number(0).number(0).number(0);
        if (this.#minor >= 7) writer.number(0);
      },
      // The results of both protocols are alike: that of 2.6 is that of 1.29, that before has no outputs.
      (reader) => (this.#minor >= 6 ? readBuildResult(reader, { minor: 29 }) : this.#readOldResult(reader)),
    );
  }

  async #readOldResult(reader: WireReader): Promise<WireBuildResult> {
    const head = await readBuildResult(reader, { minor: 27 });
    return { ...head, timesBuilt: await reader.number(), isNonDeterministic: await reader.boolean(), startTime: await reader.number(), stopTime: await reader.number() };
  }

  #ask<T>(command: number, write: (writer: WireWriter) => void, read: (reader: WireReader) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      this.#reader.renewBudget();
      this.#writer.number(command);
      write(this.#writer);
      await this.#writer.flush();
      return read(this.#reader);
    });
  }

  /** The other side says what went wrong on its standard error, and ends. */
  async #guard<T>(run: () => Promise<T>): Promise<T> {
    if (this.broken) throw new TsosError({ code: "daemon.connection-lost", message: `the connection to "${this.#stream.name}" is lost` });
    try {
      return await run();
    } catch (cause) {
      this.broken = true;
      await this.#stream.close();
      throw cannotSpeak(this.#stream, cause);
    }
  }
}
