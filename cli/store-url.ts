import { resolve } from "node:path";
import { TsosError } from "../core/error/tsos-error.ts";
import type { LocalStoreOptions } from "../core/store/store.ts";

/** Which store of this machine, and whether by way of a daemon. */
export type StoreChoice = LocalStoreOptions & {
  /** The socket of the daemon that makes changes to it. */
  readonly daemon?: string | undefined;
  /** None at all: nothing is in it, and nothing can be written to it. */
  readonly isDummy?: boolean | undefined;
};

const DAEMON = /^unix:\/\/([^?]*)(?:\?(.*))?$/;
const LOCAL = /^local(?::\/\/)?(\/[^?]*)?(?:\?(.*))?$/;

/** Whether `text` names a daemon of this machine. */
export function isStoreUrl(text: string): boolean {
  return text === "daemon" || DAEMON.test(text);
}

/**
 * `daemon`, `unix:///SOCKET?root=DIR`, `local`, `local?root=DIR`, `DIR` (with `/` or `./` before it). Nix: libstore/local-fs-store.hh, uds-remote-store.cc.
 *
 * @throws TsosError `nix.store-url` for a store that is not of this machine
 */
export function parseStoreUrl(url: string, env: NodeJS.ProcessEnv): StoreChoice {
  if (url.startsWith("/") || /^\.\.?(\/|$)/.test(url)) return { root: resolve(url) };
  const remote = url === "daemon" ? ["", "", ""] : DAEMON.exec(url);
  const match = remote ?? LOCAL.exec(url);
  if (match === null) throw new TsosError({ code: "nix.store-url", message: `the store '${url}' is not supported`, hint: "expected a store of this machine: daemon, unix:///SOCKET, local, local?root=DIR, or DIR", data: { store: url } });
  const query = new URLSearchParams(match[2] ?? "");
  const choice: { -readonly [K in keyof StoreChoice]: StoreChoice[K] } = {};
  if (remote === null && match[1] !== undefined) choice.root = match[1];
  if (remote !== null) choice.daemon = remote[1] ? decodeURIComponent(remote[1]) : (env["NIX_DAEMON_SOCKET_PATH"] ?? `${query.get("state") ?? env["NIX_STATE_DIR"] ?? "/nix/var/nix"}/daemon-socket/socket`);
  for (const [name, value] of query) {
    if (name === "root") choice.root = value;
    else if (name === "store") choice.storeDir = value;
    else if (name === "real") choice.realStoreDir = value;
    else if (name === "state") choice.stateDir = value;
    else if (name === "log") choice.logDir = value;
  }
  return choice;
}
