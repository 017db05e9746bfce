import { join } from "node:path";
import type { TestContext } from "node:test";
import { DaemonConnection } from "../../../../core/daemon/client/daemon-connection.ts";
import { connectSocket } from "../../../../core/daemon/client/open-stream.ts";
import { startDaemon, type DaemonServer } from "../../../../core/daemon/server/daemon-server.ts";
import type { Trust } from "../../../../core/cache/trust.ts";
import { openLocalStore } from "../../../../core/store/local-store.ts";
import type { Substituter } from "../../../../core/store/substituter.ts";
import { createBuildFixture, type BuildFixture } from "../../build/build-fixture.ts";

export type TestDaemon = {
  readonly fixture: BuildFixture;
  readonly server: DaemonServer;
  readonly socket: string;
  readonly url: string;
  readonly errors: unknown[];
  connect(): Promise<DaemonConnection>;
};

export type TestDaemonOptions = {
  /** Whether this user, who runs the tests, is trusted; default true. */
  readonly trusted?: boolean;
  readonly allowed?: boolean;
  readonly trust?: Trust;
  readonly substituter?: Substituter;
  readonly contentAddressed?: boolean;
};

/** A daemon in this process, on a store of its own. */
export async function startTestDaemon(t: TestContext, { trusted = true, allowed = true, trust = { publicKeys: [], requireSignatures: true }, substituter, contentAddressed }: TestDaemonOptions = {}): Promise<TestDaemon> {
  const fixture = await createBuildFixture();
  const socket = join(fixture.root, "socket");
  const errors: unknown[] = [];
  const server = await startDaemon({
    host: {
      version: "tsos test",
      openStore: () => openLocalStore({ root: fixture.root }),
      buildOptions: async (_store, settings, io) => fixture.options({ ...io, substituter, contentAddressed, keepGoing: settings.keepGoing }),
      trust,
      trustedSubstituters: [],
      substituters: [],
      onError: (error) => errors.push(error),
    },
    access: { trustedUsers: trusted ? ["*"] : [], allowedUsers: allowed ? ["*"] : [] },
    listen: { path: socket },
  });
  const connections: DaemonConnection[] = [];
  t.after(async () => {
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });
  const url = `unix://${socket}`;
  return {
    fixture,
    server,
    socket,
    url,
    errors,
    async connect() {
      const connection = await DaemonConnection.open(await connectSocket(socket, url), { storeDir: fixture.store.storeDir });
      connections.push(connection);
      return connection;
    },
  };
}
