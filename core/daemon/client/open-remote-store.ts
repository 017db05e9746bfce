import { DEFAULT_STORE_DIR } from "../../store-path/store-path.ts";
import type { ProgressListener } from "../../util/progress.ts";
import { DaemonConnection } from "./daemon-connection.ts";
import { connectSocket, startProgram } from "./open-stream.ts";
import type { RemoteStream } from "./remote-connection.ts";
import { RemoteStore } from "./remote-store.ts";
import { parseRemoteUrl, type RemoteUrl } from "./remote-url.ts";
import { ServeConnection } from "./serve-connection.ts";

export type OpenRemoteStoreOptions = {
  readonly storeDir?: string | undefined;
  /** For the programs that are run; `NIX_SSHOPTS` holds more arguments for ssh. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The program that reaches other machines and its first arguments; default `ssh`. */
  readonly ssh?: readonly string[] | undefined;
  /** Where this machine's own daemon listens. */
  readonly socket?: string | undefined;
  readonly report?: ProgressListener | undefined;
  readonly useSubstitutes?: boolean | undefined;
};

export const DEFAULT_SOCKET = "/nix/var/nix/daemon-socket/socket";

const SOCKET_CONNECTIONS = 4;

/**
 * The store of a daemon: of this machine, or of another over ssh. Nothing is connected before something is asked.
 *
 * @throws TsosError `daemon.bad-url`
 */
export function openRemoteStore(url: string, options: OpenRemoteStoreOptions): RemoteStore {
  const { storeDir = DEFAULT_STORE_DIR, report, useSubstitutes } = options;
  const remote = parseRemoteUrl(url, options.environment["NIX_DAEMON_SOCKET_PATH"] ?? options.socket ?? DEFAULT_SOCKET);
  const connect = (): Promise<RemoteStream> => (remote.kind === "unix" ? connectSocket(remote.path, url) : startSsh(remote, url, options));
  return new RemoteStore({
    storeDir,
    name: url,
    connections: remote.kind === "unix" ? SOCKET_CONNECTIONS : (remote.connections ?? 1),
    open: async () => {
      const stream = await connect();
      return remote.kind === "ssh" ? ServeConnection.open(stream, storeDir) : DaemonConnection.open(stream, { storeDir, report, useSubstitutes });
    },
  });
}

/** Nix: libstore/ssh.cc, ssh-store.cc, legacy-ssh-store.cc. */
function startSsh(remote: Exclude<RemoteUrl, { kind: "unix" }>, url: string, { environment, ssh = ["ssh"] }: OpenRemoteStoreOptions): Promise<RemoteStream> {
  const [command, ...first] = ssh as readonly [string, ...string[]];
  const words = (environment["NIX_SSHOPTS"] ?? "").split(/\s+/).filter((word) => word !== "");
  const program = remote.kind === "ssh-ng" ? [...(remote.program ?? ["nix-daemon"]), "--stdio"] : [...(remote.program ?? ["nix-store"]), "--serve", "--write"];
  const store = remote.store === undefined ? [] : ["--store", remote.store];
  const args = [
    ...first,
    ...words,
    ...(remote.key === undefined ? [] : ["-i", remote.key]),
    ...(remote.port === undefined ? [] : ["-p", remote.port]),
    ...(remote.compress === true ? ["-C"] : []),
    "-x",
    remote.host,
    "--",
    // The other side's shell reads it as one line.
    [...program, ...store].map(quoteWord).join(" "),
  ];
  return startProgram(command, args, url, environment);
}

function quoteWord(word: string): string {
  return /^[A-Za-z0-9_\/.,:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
