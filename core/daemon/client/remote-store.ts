import { TsosError } from "../../error/tsos-error.ts";
import type { OutputId, Realisation } from "../../narinfo/realisation.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import type { AddOptions, Store } from "../../store/store.ts";
import { formatStorePath, type StorePath } from "../../store-path/store-path.ts";
import type { WireBuildResult } from "../wire/build-result.ts";
import { noRealisations } from "./copy-realisations.ts";
import { ConnectionPool } from "./connection-pool.ts";
import type { RemoteBuild, RemoteConnection } from "./remote-connection.ts";

/** Another store, reached over as many connections as are allowed; each is opened when it is first needed. */
export class RemoteStore implements Store {
  readonly storeDir: string;
  /** For people and errors. */
  readonly name: string;
  readonly #pool: ConnectionPool<RemoteConnection>;
  /** Paths that are on their way there: who refers to one is sent after it. */
  readonly #adding = new Map<StorePath, Promise<void>>();

  constructor({ storeDir, name, connections, open }: { readonly storeDir: string; readonly name: string; readonly connections: number; readonly open: () => Promise<RemoteConnection> }) {
    this.storeDir = storeDir;
    this.name = name;
    this.#pool = new ConnectionPool(connections, open);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    return this.#pool.use((connection) => connection.findPathInfo(path));
  }

  async getPathInfo(path: StorePath): Promise<ValidPathInfo> {
    const info = await this.findPathInfo(path);
    if (info !== undefined) return info;
    throw new TsosError({ code: "store.invalid-path", message: `"${formatStorePath(path, this.storeDir)}" is not valid in "${this.name}"`, data: { path } });
  }

  async isValidPath(path: StorePath): Promise<boolean> {
    return (await this.queryValidPaths([path])).has(path);
  }

  queryValidPaths(paths: Iterable<StorePath>, options?: { readonly substitute?: boolean }): Promise<Set<StorePath>> {
    return this.#pool.use((connection) => connection.queryValidPaths([...paths], options));
  }

  async *narFromPath(path: StorePath): AsyncIterable<Uint8Array> {
    const { connection, release } = await this.#pool.acquire();
    try {
      yield* connection.narFromPath(path);
    } finally {
      await release();
    }
  }

  async addNarToStore(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, { signal, onReceived }: AddOptions = {}): Promise<void> {
    const references = info.references.flatMap((path) => (path === info.path ? [] : (this.#adding.get(path) ?? [])));
    const added = Promise.all(references).then(() => this.#pool.use((connection) => connection.addNar(info, heed(nar, signal)), signal));
    this.#adding.set(info.path, added);
    try {
      await added;
    } finally {
      this.#adding.delete(info.path);
    }
    onReceived?.();
  }

  /** Builds there. A signal that is aborted ends the connection, and with it the build. */
  buildDerivation(build: RemoteBuild, onLine: (line: string) => void, signal?: AbortSignal): Promise<WireBuildResult> {
    return this.#pool.use((connection) => connection.buildDerivation(build, onLine), signal);
  }

  /** @throws TsosError `daemon.no-realisations` */
  findRealisation(id: OutputId, signal?: AbortSignal): Promise<Realisation | undefined> {
    return this.#pool.use((connection) => {
      if (connection.findRealisation === undefined) throw noRealisations(this.name);
      return connection.findRealisation(id);
    }, signal);
  }

  /** @throws TsosError `daemon.no-realisations` */
  addRealisation(realisation: Realisation, signal?: AbortSignal): Promise<void> {
    return this.#pool.use((connection) => {
      if (connection.addRealisation === undefined) throw noRealisations(this.name);
      return connection.addRealisation(realisation);
    }, signal);
  }

  /** Whether the other side takes our word; undefined where it does not say. */
  isTrusted(): Promise<boolean | undefined> {
    return this.#pool.use(async (connection) => connection.trusted);
  }
}

async function* heed(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
