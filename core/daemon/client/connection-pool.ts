import { createLimiter } from "../../util/limiter.ts";
import type { RemoteConnection } from "./remote-connection.ts";

/** As many connections to one store as are allowed; each is opened when it is first needed, and stays open. */
export class ConnectionPool<C extends RemoteConnection> implements AsyncDisposable {
  readonly #open: () => Promise<C>;
  readonly #limiter: ReturnType<typeof createLimiter>;
  readonly #idle: C[] = [];
  readonly #all = new Set<C>();

  constructor(connections: number, open: () => Promise<C>) {
    this.#limiter = createLimiter(connections);
    this.#open = open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection[Symbol.asyncDispose]()));
    this.#all.clear();
    this.#idle.length = 0;
  }

  /** Runs with a connection that nobody else uses meanwhile. A signal that is aborted ends the connection. */
  async use<T>(run: (connection: C) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { connection, release } = await this.acquire(signal);
    const stop = (): void => void connection[Symbol.asyncDispose]();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      // It may have come while the connection was opened.
      signal?.throwIfAborted();
      return await run(connection);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      await release();
    }
  }

  async acquire(signal?: AbortSignal): Promise<{ readonly connection: C; readonly release: () => Promise<void> }> {
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
