import type { Socket } from "node:net";
import { libc, type NativeFunction } from "../../util/libc.ts";

/** Who is at the other end of a Unix socket, as the kernel says. */
export type Peer = { readonly pid: number; readonly uid: number; readonly gid: number };

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

let calls: { readonly getsockopt: NativeFunction; readonly getpwuid: NativeFunction; readonly getgrgid: NativeFunction; readonly getgrouplist: NativeFunction } | undefined;

function bound(): NonNullable<typeof calls> {
  const { bind } = libc();
  return (calls ??= {
    getsockopt: bind("int getsockopt(int socket, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)"),
    getpwuid: bind("void *getpwuid(uint32_t uid)"),
    getgrgid: bind("void *getgrgid(uint32_t gid)"),
    getgrouplist: bind("int getgrouplist(const char *user, uint32_t group, _Out_ uint32_t *groups, _Inout_ int *count)"),
  });
}

/** @throws an error of the platform when `socket` is no connected Unix socket */
export function peerOf(socket: Socket): Peer {
  // Node has no other way to a socket's descriptor.
  const { fd } = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle ?? {};
  if (fd === undefined || fd < 0) throw new Error("the socket has no descriptor");
  const value = new Uint8Array(12);
  if (bound().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, [value.length]) !== 0) throw libc().error("getsockopt");
  const view = new DataView(value.buffer);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}

/** A user by the name service, else the number; and the names of all groups the user is in. */
export function namesOf({ uid, gid }: Pick<Peer, "uid" | "gid">): { readonly user: string; readonly groups: ReadonlySet<string> } {
  const { getpwuid, getgrgid, getgrouplist } = bound();
  const { firstString } = libc();
  const user = firstString(getpwuid(uid));
  const gids = new Set([gid]);
  if (user !== undefined) {
    const list = new Uint32Array(4096);
    const count = [list.length];
    if ((getgrouplist(user, gid, list, count) as number) >= 0) for (const member of list.subarray(0, count[0])) gids.add(member);
  }
  return { user: user ?? String(uid), groups: new Set([...gids].map((id) => firstString(getgrgid(id)) ?? String(id))) };
}

/** Whether a list of users (`name`, `@group`, `*` for all) has this one. Nix: the settings `trusted-users` and `allowed-users`. */
export function isListed(list: readonly string[], { user, groups }: ReturnType<typeof namesOf>): boolean {
  return list.some((entry) => entry === "*" || entry === user || (entry.startsWith("@") && groups.has(entry.slice(1))));
}
