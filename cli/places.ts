import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { mayWrite } from "../core/util/may-access.ts";
import { isStoreUrl, parseStoreUrl, type StoreChoice } from "./store-url.ts";

/** Where tsos keeps what it knows. */
export type Places = {
  /** The store's physical root: undefined for `/nix/store` itself. */
  readonly storeRoot: string | undefined;
  /** Where the daemon listens that makes changes to the store; undefined: this process does. */
  readonly daemon: string | undefined;
  /** Caches of evaluations and checks; may be deleted at any time. */
  readonly cache: string;
  /** Machines, their roots and what runs. */
  readonly state: string;
  /** Links that keep shells from being collected. */
  readonly roots: string;
};

/** What of the machine the choice of a store depends on. */
export type PlacesMachine = { readonly isWritable: (folder: string) => boolean; readonly isSocket: (file: string) => boolean };

/**
 * Root works on `/nix/store` and the system's folders. So does another user who may write it; one who may not asks its
 * daemon, and where there is none has a store of their own under their data folder (XDG). `--store` and `NIX_REMOTE` choose
 * otherwise; `TSOS_CACHE_DIR`, `TSOS_STATE_DIR` move the rest.
 */
export function findPlaces(env: NodeJS.ProcessEnv, uid: number, store: string | undefined, machine: PlacesMachine = THIS_MACHINE): Places {
  const home = env["HOME"] ?? homedir();
  const isRoot = uid === 0;
  const cache = env["TSOS_CACHE_DIR"] ?? (isRoot && env["XDG_CACHE_HOME"] === undefined ? "/var/cache/tsos" : join(env["XDG_CACHE_HOME"] ?? join(home, ".cache"), "tsos"));
  const state = env["TSOS_STATE_DIR"] ?? (isRoot ? "/var/lib/tsos" : join(env["XDG_STATE_HOME"] ?? join(home, ".local/state"), "tsos"));
  const ownStore = join(env["XDG_DATA_HOME"] ?? join(home, ".local/share"), "tsos");
  const { root, daemon } = choose(env, uid, store, ownStore, machine);
  return { storeRoot: root, daemon, cache, state, roots: daemon === undefined ? join(root ?? "/", "nix/var/nix/tsos") : state };
}

function choose(env: NodeJS.ProcessEnv, uid: number, store: string | undefined, ownStore: string, machine: PlacesMachine): StoreChoice {
  const named = store ?? env["NIX_REMOTE"] ?? "";
  // What the variable names besides a daemon is for the classic commands, which heed all of Nix's folders.
  if (store !== undefined ? store !== "auto" : isStoreUrl(named)) return parseStoreUrl(named, env);
  return chooseStore(env, uid, ownStore, machine);
}

/** Where nobody says which. Nix: libstore/store-open.cc, `auto` */
function chooseStore(env: NodeJS.ProcessEnv, uid: number, ownStore: string, { isWritable, isSocket }: PlacesMachine): StoreChoice {
  const stateDir = env["NIX_STATE_DIR"] ?? "/nix/var/nix";
  if (uid === 0 || isWritable(stateDir)) return {};
  const daemon = env["NIX_DAEMON_SOCKET_PATH"] ?? `${stateDir}/daemon-socket/socket`;
  return isSocket(daemon) ? { daemon } : { root: ownStore };
}

const THIS_MACHINE: PlacesMachine = {
  isWritable: mayWrite,
  isSocket(file) {
    try {
      return statSync(file).isSocket();
    } catch {
      // One behind a folder that this user may not enter is of no use to them.
      return false;
    }
  },
};
