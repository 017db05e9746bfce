import { TsosError } from "../../error/tsos-error.ts";
import type { UserEntry, UsersManifest } from "../manifest.ts";
import { findFreeId, findFreeSubordinateRange, type IdAllocations, SUBORDINATE_IDS } from "./id-allocation.ts";

/** The texts of the files in /etc; the empty string for one that is not there. */
export type UserFiles = {
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string;
  readonly gshadow: string;
  readonly subuid: string;
  readonly subgid: string;
};

export type UserPlan = {
  readonly files: UserFiles;
  readonly allocations: IdAllocations;
  readonly addedUsers: readonly string[];
  readonly removedUsers: readonly string[];
  readonly changedUsers: readonly string[];
  readonly addedGroups: readonly string[];
  readonly removedGroups: readonly string[];
  readonly warnings: readonly string[];
  /** name → ids, of all users and groups that will be there. */
  readonly uids: ReadonlyMap<string, number>;
  readonly gids: ReadonlyMap<string, number>;
};

type Passwd = { readonly name: string; readonly uid: number; readonly gid: number; readonly line: string };
type Group = { readonly name: string; readonly gid: number; readonly members: readonly string[] };

/**
 * The user database after an activation, from what is declared, what is there and what was given out before.
 * Pure; `readPasswordFile` is asked for `hashedPasswordFile`s.
 *
 * @throws TsosError `users.invalid`, `users.no-free-id`, `users.unknown-group`
 */
export function planUsers(
  declared: UsersManifest,
  current: UserFiles,
  allocations: IdAllocations,
  readPasswordFile: (file: string) => string | undefined,
): UserPlan {
  const warnings: string[] = [];
  const passwd = parsePasswd(current.passwd);
  const group = parseGroup(current.group);
  const shadow = parseRecords(current.shadow);
  const gshadow = parseRecords(current.gshadow);
  checkNames(declared);

  const userNames = new Set(declared.users.map((user) => user.name));
  const groupNames = new Set(declared.groups.map((one) => one.name));
  const declaredBefore = { users: new Set(allocations.declaredUsers), groups: new Set(allocations.declaredGroups) };
  const keepUser = (name: string): boolean => declared.mutableUsers && !userNames.has(name) && !declaredBefore.users.has(name);
  const keepGroup = (name: string): boolean => declared.mutableUsers && !groupNames.has(name) && !declaredBefore.groups.has(name);

  const gids = giveIds({
    what: "group",
    wanted: declared.groups.map((one) => ({ name: one.name, id: one.gid, isNormal: false })),
    existing: new Map([...group.values()].map((one) => [one.name, one.gid])),
    remembered: allocations.gids,
    warnings,
  });
  const uids = giveIds({
    what: "user",
    wanted: declared.users.map((one) => ({ name: one.name, id: one.uid, isNormal: one.isNormalUser })),
    existing: new Map([...passwd.values()].map((one) => [one.name, one.uid])),
    remembered: allocations.uids,
    warnings,
  });
  const allGids = new Map(gids);
  for (const one of group.values()) if (keepGroup(one.name)) allGids.set(one.name, one.gid);
  const allUids = new Map(uids);
  for (const one of passwd.values()) if (keepUser(one.name)) allUids.set(one.name, one.uid);

  // Groups: declared members, those whose extraGroups name the group, and those that an admin added by hand.
  const groupLines: string[] = [];
  const gshadowLines: string[] = [];
  for (const one of declared.groups) {
    const members = new Set(one.members);
    for (const user of declared.users) if (user.extraGroups.includes(one.name)) members.add(user.name);
    if (declared.mutableUsers) {
      for (const name of group.get(one.name)?.members ?? []) {
        if (!userNames.has(name) && !declaredBefore.users.has(name)) members.add(name);
      }
    }
    const list = [...members].sort().join(",");
    groupLines.push(`${one.name}:x:${gids.get(one.name)!}:${list}`);
    const secret = gshadow.get(one.name)?.split(":") ?? [];
    gshadowLines.push(`${one.name}:${secret[1] ?? "!"}:${secret[2] ?? ""}:${list}`);
  }
  for (const line of records(current.group)) {
    const name = recordName(line);
    if (!keepGroup(name)) continue;
    groupLines.push(line);
    const secret = gshadow.get(name);
    if (secret !== undefined) gshadowLines.push(secret);
  }

  const passwdLines: string[] = [];
  const shadowLines: string[] = [];
  const changedUsers: string[] = [];
  for (const user of declared.users) {
    const gid = allGids.get(user.group);
    if (gid === undefined) {
      throw new TsosError({
        code: "users.unknown-group",
        message: `the user "${user.name}" has the group "${user.group}", which is not declared`,
        hint: `declare it: users.groups.${user.group} = {}`,
      });
    }
    const line = `${user.name}:x:${uids.get(user.name)!}:${gid}:${user.description}:${user.home}:${user.shell}`;
    passwdLines.push(line);
    const existing = passwd.get(user.name);
    if (existing !== undefined && existing.line !== line) changedUsers.push(user.name);
    shadowLines.push(shadowLine(user, shadow.get(user.name), declared.mutableUsers, readPasswordFile, warnings));
  }
  for (const line of records(current.passwd)) if (keepUser(recordName(line))) passwdLines.push(line);
  for (const line of records(current.shadow)) {
    const name = recordName(line);
    if (userNames.has(name)) continue;
    // A user that goes keeps its password here, without which a rollback would lock it out.
    shadowLines.push(line);
  }

  const removedUsers = [...passwd.keys()].filter((name) => !userNames.has(name) && !keepUser(name)).sort();
  for (const name of removedUsers) {
    const reason = declaredBefore.users.has(name) ? "no longer declared" : "not declared, and users are not mutable";
    warnings.push(`the user "${name}" is ${reason}: removed; its home and its password are kept`);
  }

  const subIds = giveSubordinateIds(declared.users, current, allocations);
  return {
    files: {
      passwd: text(passwdLines),
      group: text(groupLines),
      shadow: text(shadowLines),
      gshadow: text(gshadowLines),
      subuid: subordinateText(current.subuid, subIds),
      subgid: subordinateText(current.subgid, subIds),
    },
    allocations: {
      version: 1,
      uids: { ...allocations.uids, ...Object.fromEntries(uids) },
      gids: { ...allocations.gids, ...Object.fromEntries(gids) },
      subIds: { ...allocations.subIds, ...subIds },
      declaredUsers: [...userNames].sort(),
      declaredGroups: [...groupNames].sort(),
    },
    addedUsers: [...userNames].filter((name) => !passwd.has(name)).sort(),
    removedUsers,
    changedUsers: changedUsers.sort(),
    addedGroups: [...groupNames].filter((name) => !group.has(name)).sort(),
    removedGroups: [...group.keys()].filter((name) => !groupNames.has(name) && !keepGroup(name)).sort(),
    warnings,
    uids: allUids,
    gids: allGids,
  };
}

function shadowLine(
  user: UserEntry,
  existing: string | undefined,
  mutable: boolean,
  readPasswordFile: (file: string) => string | undefined,
  warnings: string[],
): string {
  const [, oldHash, ...rest] = existing?.split(":") ?? [];
  const aging = rest.length === 7 ? rest.join(":") : "1:0:99999:7:::";
  const hash = passwordHash(user, oldHash, mutable, readPasswordFile, warnings) ?? "!";
  if (/[:\n]/.test(hash)) {
    throw new TsosError({ code: "users.invalid", message: `the password hash of the user "${user.name}" contains a colon or a newline` });
  }
  return `${user.name}:${hash}:${aging}`;
}

function passwordHash(
  user: UserEntry,
  oldHash: string | undefined,
  mutable: boolean,
  readPasswordFile: (file: string) => string | undefined,
  warnings: string[],
): string | undefined {
  // A lone `!` is what a user without any password has, so nobody's choice is lost.
  if (mutable && oldHash !== undefined && oldHash !== "!") return oldHash;
  if (user.hashedPasswordFile !== null) {
    const found = readPasswordFile(user.hashedPasswordFile)?.split("\n")[0];
    if (found !== undefined) return found;
    warnings.push(`the password file "${user.hashedPasswordFile}" of the user "${user.name}" cannot be read`);
    return oldHash ?? user.hashedPassword ?? undefined;
  }
  if (user.hashedPassword !== null) return user.hashedPassword;
  if (user.initialHashedPassword !== null) return oldHash ?? user.initialHashedPassword;
  return undefined;
}

type IdRequest = {
  readonly what: "user" | "group";
  readonly wanted: readonly { readonly name: string; readonly id: number | null; readonly isNormal: boolean }[];
  readonly existing: ReadonlyMap<string, number>;
  readonly remembered: Readonly<Record<string, number>>;
  readonly warnings: string[];
};

function giveIds({ what, wanted, existing, remembered, warnings }: IdRequest): ReadonlyMap<string, number> {
  const used = new Set<number>([...existing.values(), ...Object.values(remembered)]);
  const result = new Map<string, number>();
  for (const one of wanted) if (one.id !== null) used.add(one.id);
  const owners = new Map<number, string>();
  for (const { name, id, isNormal } of wanted) {
    const known = existing.get(name) ?? (Object.hasOwn(remembered, name) ? remembered[name] : undefined);
    let given = known ?? id ?? undefined;
    if (given === undefined) {
      given = findFreeId(isNormal, used);
      if (given === undefined) {
        throw new TsosError({ code: "users.no-free-id", message: `no id is left for the ${what} "${name}"`, hint: `declare one that is free` });
      }
    } else if (id !== null && id !== given) {
      warnings.push(`the ${what} "${name}" keeps its id ${given} rather than ${id}, since files belong to it by number`);
    }
    const other = owners.get(given);
    if (other !== undefined) {
      throw new TsosError({ code: "users.invalid", message: `the ${what}s "${other}" and "${name}" both have the id ${given}` });
    }
    owners.set(given, name);
    used.add(given);
    result.set(name, given);
  }
  return result;
}

function giveSubordinateIds(users: readonly UserEntry[], current: UserFiles, allocations: IdAllocations): Record<string, number> {
  const byHand = new Map<string, number>();
  for (const line of [...records(current.subuid), ...records(current.subgid)]) {
    const [name = "", first = ""] = line.split(":");
    byHand.set(name, Number(first));
  }
  const used = new Map<string, number>([...Object.entries(allocations.subIds), ...byHand]);
  const result: Record<string, number> = {};
  for (const user of users) {
    if (!user.autoSubUidGidRange) continue;
    const first = allocations.subIds[user.name] ?? byHand.get(user.name) ?? findFreeSubordinateRange(used.values());
    used.set(user.name, first);
    result[user.name] = first;
  }
  return result;
}

function subordinateText(current: string, given: Readonly<Record<string, number>>): string {
  const kept = records(current).filter((line) => !Object.hasOwn(given, recordName(line)));
  return text([...kept, ...Object.entries(given).map(([name, first]) => `${name}:${first}:${SUBORDINATE_IDS}`)]);
}

function checkNames(declared: UsersManifest): void {
  for (const [what, entries] of [["user", declared.users], ["group", declared.groups]] as const) {
    const seen = new Set<string>();
    for (const { name } of entries) {
      if (!/^[a-zA-Z_][a-zA-Z0-9_.-]{0,30}\$?$/.test(name)) {
        throw new TsosError({
          code: "users.invalid",
          message: `"${name}" is not a ${what}'s name`,
          hint: "it starts with a letter or _ and has at most 31 letters, digits, '_', '.' and '-'",
        });
      }
      if (seen.has(name)) throw new TsosError({ code: "users.invalid", message: `the ${what} "${name}" is declared twice` });
      seen.add(name);
    }
  }
  for (const user of declared.users) {
    for (const [field, value] of Object.entries({ description: user.description, home: user.home, shell: user.shell })) {
      if (/[:\n]/.test(value)) {
        throw new TsosError({ code: "users.invalid", message: `the ${field} "${value}" of the user "${user.name}" contains a colon or a newline` });
      }
    }
  }
}

function records(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

function recordName(line: string): string {
  return line.slice(0, line.indexOf(":"));
}

function parseRecords(text: string): ReadonlyMap<string, string> {
  return new Map(records(text).map((line) => [recordName(line), line]));
}

function parsePasswd(text: string): ReadonlyMap<string, Passwd> {
  const result = new Map<string, Passwd>();
  for (const line of records(text)) {
    const [name = "", , uid, gid] = line.split(":");
    result.set(name, { name, uid: Number(uid), gid: Number(gid), line });
  }
  return result;
}

function parseGroup(text: string): ReadonlyMap<string, Group> {
  const result = new Map<string, Group>();
  for (const line of records(text)) {
    const [name = "", , gid, members = ""] = line.split(":");
    result.set(name, { name, gid: Number(gid), members: members.split(",").filter((one) => one !== "") });
  }
  return result;
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
