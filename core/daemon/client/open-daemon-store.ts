import type { LocalStore, LocalStoreOptions } from "../../store/store.ts";
import { DEFAULT_STORE_DIR } from "../../store-path/store-path.ts";
import type { ProgressListener } from "../../util/progress.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { DaemonConnection } from "./daemon-connection.ts";
import { DaemonStore } from "./daemon-store.ts";
import { connectSocket } from "./open-stream.ts";

export type OpenDaemonStoreOptions = LocalStoreOptions & {
  /** Where the daemon listens. */
  readonly socket: string;
  readonly report?: ProgressListener | undefined;
};

const CONNECTIONS = 4;

/** The store of this machine by way of its daemon. Nothing is connected before something is asked. */
export function openDaemonStore({ socket, report, ...options }: OpenDaemonStoreOptions): LocalStore {
  const name = `unix://${socket}`;
  const storeDir = options.storeDir ?? DEFAULT_STORE_DIR;
  const pool = new ConnectionPool(CONNECTIONS, async () => DaemonConnection.open(await connectSocket(socket, name), { storeDir, report }));
  return new DaemonStore(pool, { ...options, name });
}
