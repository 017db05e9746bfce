import { homedir } from "node:os";
import { join } from "node:path";

/** Where tsos keeps what it knows. */
export type Places = {
  /** The store's physical root: undefined for `/nix/store` itself. */
  readonly storeRoot: string | undefined;
  /** Caches of evaluations and checks; may be deleted at any time. */
  readonly cache: string;
  /** Machines, their roots and what runs. */
  readonly state: string;
};

/**
 * Root works on `/nix/store` and the system's folders; another user on a store of their own under their data
 * folder (XDG). `TSOS_CACHE_DIR`, `TSOS_STATE_DIR` and `--store` move each.
 */
export function findPlaces(env: NodeJS.ProcessEnv, uid: number, store: string | undefined): Places {
  const home = env["HOME"] ?? homedir();
  const isRoot = uid === 0;
  const cache = env["TSOS_CACHE_DIR"] ?? (isRoot && env["XDG_CACHE_HOME"] === undefined ? "/var/cache/tsos" : join(env["XDG_CACHE_HOME"] ?? join(home, ".cache"), "tsos"));
  const state = env["TSOS_STATE_DIR"] ?? (isRoot ? "/var/lib/tsos" : join(env["XDG_STATE_HOME"] ?? join(home, ".local/state"), "tsos"));
  const ownStore = join(env["XDG_DATA_HOME"] ?? join(home, ".local/share"), "tsos");
  return { storeRoot: store ?? (isRoot ? undefined : ownStore), cache, state };
}
