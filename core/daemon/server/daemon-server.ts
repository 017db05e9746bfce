import { chmodSync, chownSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { isListed, namesOf, peerOf, type Peer } from "./peer.ts";
import { serveConnection } from "./serve-connection.ts";
import type { DaemonHost } from "./session.ts";

export type DaemonAccess = {
  /** `name`, `@group`, `*`: who may do all that the daemon can. */
  readonly trustedUsers: readonly string[];
  readonly allowedUsers: readonly string[];
};

export type DaemonOptions = {
  readonly host: DaemonHost;
  readonly access: DaemonAccess;
  /** A path, or the descriptor of a socket that somebody else listens on (as systemd hands it over). */
  readonly listen: { readonly path: string } | { readonly fd: number };
  /** Where each user's folders for profiles and roots are made; none are made where it is not given. */
  readonly stateDir?: string | undefined;
  readonly onConnection?: ((peer: Peer & { readonly user: string; readonly trusted: boolean }) => void) | undefined;
  readonly onRefused?: ((user: string) => void) | undefined;
};

export type DaemonServer = AsyncDisposable & { readonly connections: number };

/** Clients at once; more are turned away. */
const MAX_CONNECTIONS = 1000;

/**
 * Listens, and serves everybody who may. Disposing it ends all connections and what they have built, and waits for that.
 *
 * @throws TsosError `daemon.socket-in-use` when another daemon listens there
 */
export async function startDaemon(options: DaemonOptions): Promise<DaemonServer> {
  const sessions = new Map<Socket, Promise<void>>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
    const session = accept(options, socket)
      .catch((error: unknown) => options.host.onError?.(error))
      .finally(() => {
        socket.destroy();
        sessions.delete(socket);
      });
    sessions.set(socket, session);
  });
  server.maxConnections = MAX_CONNECTIONS;
  if (options.stateDir !== undefined) closeUserFolders(options.stateDir);
  await listen(server, options.listen);
  return {
    get connections() {
      return sessions.size;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const ends = [...sessions.values()];
      for (const socket of sessions.keys()) socket.destroy();
      await Promise.all(ends);
      await closed;
    },
  };
}

async function accept({ host, access, stateDir, onConnection, onRefused }: DaemonOptions, socket: Socket): Promise<void> {
  const peer = peerOf(socket);
  const names = namesOf(peer);
  const trusted = isListed(access.trustedUsers, names);
  if (!trusted && !isListed(access.allowedUsers, names)) {
    onRefused?.(names.user);
    return;
  }
  onConnection?.({ ...peer, user: names.user, trusted });
  if (stateDir !== undefined) makeUserFolders(stateDir, names.user, peer);
  await serveConnection(host, { input: socket, output: socket, trusted });
}

/** Stores that an old Nix made have them open to all, who could then make another's before the daemon does. */
function closeUserFolders(stateDir: string): void {
  for (const kind of ["profiles", "gcroots"]) {
    const parent = `${stateDir}/${kind}/per-user`;
    const stats = lstatSync(parent, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true && stats.uid === process.getuid?.() && (stats.mode & 0o7022) !== 0) chmodSync(parent, 0o755);
  }
}

/**
 * `profiles/per-user/NAME` and `gcroots/per-user/NAME`, each the user's own. The daemon makes them, since a folder in
 * which all may make one is one in which somebody makes another's.
 */
function makeUserFolders(stateDir: string, user: string, { uid, gid }: Peer): void {
  if (uid === 0 || process.getuid?.() !== 0 || !/^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/.test(user)) return;
  for (const kind of ["profiles", "gcroots"]) {
    const parent = `${stateDir}/${kind}/per-user`;
    const folder = `${parent}/${user}`;
    const existing = lstatSync(folder, { throwIfNoEntry: false });
    if (existing !== undefined) {
      // Made by another while all could: its owner would decide what this user runs.
      if (!existing.isDirectory() || (existing.uid !== uid && existing.uid !== 0)) {
        throw new TsosError({ code: "daemon.foreign-folder", message: `"${folder}" belongs to another than "${user}"`, hint: "look at what is in it, and remove it", data: { folder, user } });
      }
      continue;
    }
    mkdirSync(parent, { recursive: true, mode: 0o755 });
    mkdirSync(folder, { mode: 0o755 });
    chownSync(folder, uid, gid);
  }
}

async function listen(server: Server, place: DaemonOptions["listen"]): Promise<void> {
  if ("path" in place) {
    mkdirSync(dirname(place.path), { recursive: true });
    if (lstatSync(place.path, { throwIfNoEntry: false })?.isSocket() === true) {
      if (await answers(place.path)) throw new TsosError({ code: "daemon.socket-in-use", message: `a daemon listens on "${place.path}" already`, data: { path: place.path } });
      unlinkSync(place.path);
    }
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new TsosError({ code: "daemon.cannot-listen", message: `cannot listen on ${"path" in place ? `"${place.path}"` : `the descriptor ${place.fd}`}: ${cause.message}`, hint: "path" in place && place.path.length > 107 ? "the address of a Unix socket has at most 107 bytes" : undefined, cause })),
    );
    server.listen("path" in place ? { path: place.path } : { fd: place.fd }, resolve);
  });
  // Everybody may knock; who is let in is decided by who they are.
  if ("path" in place) chmodSync(place.path, 0o666);
}

/** Whether somebody listens there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
