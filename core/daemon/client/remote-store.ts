import { TsosError } from "../../error/tsos-error.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import type { AddOptions, Store } from "../../store/store.ts";
import { formatStorePath, type StorePath } from "../../store-path/store-path.ts";
import { createLimiter } from "../../util/limiter.ts";
import type { WireBuildResult } from "../wire/build-result.ts";
import type { RemoteBuild, RemoteConnection } from "./remote-connection.ts";

/** Another store, reached over as many connections as are allowed; each is opened when it is first needed. */
export class RemoteStore implements Store {
  readonly storeDir: string;
  /** For people and errors. */
  readonly name: string;
  readonly #open: () => Promise<RemoteConnection>;
  readonly #limiter: ReturnType<typeof createLimiter>;
  readonly #idle: RemoteConnection[] = [];
  readonly #all = new Set<RemoteConnection>();
  /** Paths that are on their way there: who refers to one is sent after it. */
  readonly #adding = new Map<StorePath, Promise<void>>();

  constructor({ storeDir, name, connections, open }: { readonly storeDir: string; readonly name: string; readonly connections: number; readonly open: () => Promise<RemoteConnection> }) {
    this.storeDir = storeDir;
    this.name = name;
    this.#open = open;
    this.#limiter = createLimiter(connections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection[Symbol.asyncDispose]()));
    this.#all.clear();
    this.#idle.length = 0;
  }

  findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    return this.#with((connection) => connection.findPathInfo(path));
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
    return this.#with((connection) => connection.queryValidPaths([...paths], options));
  }

  async *narFromPath(path: StorePath): AsyncIterable<Uint8Array> {
    const { connection, release } = await this.#acquire();
    try {
      yield* connection.narFromPath(path);
    } finally {
      await release();
    }
  }

  async addNarToStore(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, { signal, onReceived }: AddOptions = {}): Promise<ValidPathInfo> {
    const references = info.references.flatMap((path) => (path === info.path ? [] : (this.#adding.get(path) ?? [])));
    const added = Promise.all(references).then(() => this.#with((connection) => connection.addNar(info, heed(nar, signal)), signal));
    this.#adding.set(info.path, added);
    try {
      await added;
    } finally {
      this.#adding.delete(info.path);
    }
    onReceived?.();
    return { registrationTime: 0, signatures: [], ultimate: false, ...withoutUndefined(info) };
  }

  /** Builds there. A signal that is aborted ends the connection, and with it the build. */
  buildDerivation(build: RemoteBuild, onLine: (line: string) => void, signal?: AbortSignal): Promise<WireBuildResult> {
    return this.#with((connection) => connection.buildDerivation(build, onLine), signal);
  }

  /** Whether the other side takes our word; undefined where it does not say. */
  isTrusted(): Promise<boolean | undefined> {
    return this.#with(async (connection) => connection.trusted);
  }

  async #with<T>(run: (connection: RemoteConnection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { connection, release } = await this.#acquire(signal);
    const stop = (): void => void connection[Symbol.asyncDispose]();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await run(connection);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      await release();
    }
  }

  async #acquire(signal?: AbortSignal): Promise<{ readonly connection: RemoteConnection; readonly release: () => Promise<void> }> {
    const releasePlace = await this.#limiter.acquire(signal);
    try {
      const connection = this.#idle.pop() ?? (await this.#open());
      this.#all.add(connection);
      return {
        connection,
        release: async () => {
          if (connection.broken) {
            this.#all.delete(connection);
            await connection[Symbol.asyncDispose]();
          } else this.#idle.push(connection);
          releasePlace();
        },
      };
    } catch (error) {
      releasePlace();
      throw error;
    }
  }
}

async function* heed(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** Fields that are there but undefined must not hide defaults. */
function withoutUndefined(info: NewPathInfo): NewPathInfo {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined)) as NewPathInfo;
}
