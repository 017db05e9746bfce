import { defineModule, defineOptions, option, types } from "../../core/index.ts";

/** A name that useradd takes: it must be safe in /etc/passwd, in paths and in units. */
const accountName = /^[a-z_][a-z0-9_-]{0,30}\$?$/;

const options = defineOptions({
  users: {
    mutableUsers: option(types.bool, {
      default: true,
      description: "Whether users and passwords made by hand (useradd, passwd) stay. With false, exactly what is declared is there.",
    }),
    defaultUserShell: option(types.path, { default: "/usr/bin/bash", description: "The login shell of people who name none." }),
    users: option(
      types.attrsOf(
        types.submodule({
          options: {
            uid: option(types.nullOr(types.ints.u32), { default: null, description: "The user's number; null gives one that is kept for good." }),
            isNormalUser: option(types.bool, { default: false, description: "A person: an id from 1000 on, the group `users`, a home, the default shell." }),
            isSystemUser: option(types.bool, { default: false, description: "A service's account: an id below 1000, no home, no login." }),
            description: option(types.strMatching(/^[^:\n]*$/), { default: "", description: "The user's full name.", example: "Ada Lovelace" }),
            group: option(types.nullOr(types.str), { default: null, description: "The primary group; null: `users` for a person." }),
            extraGroups: option(types.listOf(types.str), { default: [], description: "Further groups.", example: ["wheel"] }),
            home: option(types.nullOr(types.path), { default: null, description: "The home folder; null: /home/NAME for a person, /var/empty for others." }),
            homeMode: option(types.strMatching(/^[0-7]{1,5}$/), { default: "700", description: "The mode of a home folder that is made." }),
            createHome: option(types.nullOr(types.bool), { default: null, description: "Whether the home folder is made; null: for a person." }),
            shell: option(types.nullOr(types.either(types.shellPackage, types.path)), { default: null, description: "The login shell.", example: "/usr/bin/zsh" }),
            hashedPassword: option(types.nullOr(types.strMatching(/^[^:\n]*$/)), { default: null, description: "The password's hash, as of mkpasswd; wins at every switch. It can be read by all users of the store." }),
            hashedPasswordFile: option(types.nullOr(types.str), { default: null, description: "A file on the machine that holds the password's hash." }),
            initialHashedPassword: option(types.nullOr(types.strMatching(/^[^:\n]*$/)), { default: null, description: "The password's hash for a user who is not there yet." }),
            autoSubUidGidRange: option(types.bool, { default: false, description: "Whether the user gets 65,536 subordinate ids, for rootless containers." }),
            openssh: { authorizedKeys: { keys: option(types.listOf(types.singleLineStr), { default: [], description: "Public keys that may log in as this user.", example: ["ssh-ed25519 AAAA… ada@example"] }) } },
          },
        }),
      ),
      { default: {}, description: "Users, by name.", example: { ada: { isNormalUser: true, extraGroups: ["wheel"] } } },
    ),
    groups: option(
      types.attrsOf(
        types.submodule({
          options: {
            gid: option(types.nullOr(types.ints.u32), { default: null, description: "The group's number; null gives one that is kept for good." }),
            members: option(types.listOf(types.str), { default: [], description: "Users in it, beside those whose `extraGroups` name it." }),
          },
        }),
      ),
      { default: {}, description: "Groups, by name." },
    ),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/users-groups": typeof options;
  }
}

/** Debian's static ids (base-passwd), which the OS root's units, udev rules and tmpfiles name. */
const STATIC_GROUPS: Readonly<Record<string, number>> = {
  root: 0, daemon: 1, bin: 2, sys: 3, adm: 4, tty: 5, disk: 6, lp: 7, mail: 8, news: 9, uucp: 10, man: 12, proxy: 13,
  kmem: 15, dialout: 20, fax: 21, voice: 22, cdrom: 24, floppy: 25, tape: 26, sudo: 27, audio: 29, dip: 30,
  "www-data": 33, backup: 34, operator: 37, list: 38, irc: 39, src: 40, shadow: 42, utmp: 43, video: 44, sasl: 45,
  plugdev: 46, staff: 50, games: 60, users: 100, nogroup: 65534,
};

/** Groups that the OS root's own sysusers.d files declare; their numbers are given on the machine. */
const SYSTEM_GROUPS = ["wheel", "systemd-journal", "systemd-network", "systemd-resolve", "systemd-timesync", "messagebus", "input", "render", "kvm", "sgx", "clock", "crontab", "_ssh"];

const SYSTEM_USERS: Readonly<Record<string, { readonly uid: number | null; readonly group: string; readonly home: string; readonly description: string }>> = {
  daemon: { uid: 1, group: "daemon", home: "/usr/sbin", description: "daemon" },
  nobody: { uid: 65534, group: "nogroup", home: "/nonexistent", description: "nobody" },
  messagebus: { uid: null, group: "messagebus", home: "/nonexistent", description: "System Message Bus" },
  "systemd-network": { uid: null, group: "systemd-network", home: "/", description: "systemd Network Management" },
  "systemd-resolve": { uid: null, group: "systemd-resolve", home: "/", description: "systemd Resolver" },
  "systemd-timesync": { uid: null, group: "systemd-timesync", home: "/", description: "systemd Time Synchronization" },
};

export default defineModule({
  options,
  config: ({ config, lib }) => {
    const { users, groups } = config.users;
    const known = (name: string): boolean => Object.hasOwn(groups, name);
    return {
      users: {
        users: {
          root: { uid: 0, group: "root", home: "/root", createHome: true, shell: lib.mkDefault(config.users.defaultUserShell), description: "System administrator" },
          ...Object.fromEntries(Object.entries(SYSTEM_USERS).map(([name, user]) => [name, { isSystemUser: true, ...user }])),
        },
        groups: {
          ...Object.fromEntries(Object.entries(STATIC_GROUPS).map(([name, gid]) => [name, { gid }])),
          ...Object.fromEntries(SYSTEM_GROUPS.map((name) => [name, {}])),
        },
      },
      environment: {
        etc: Object.fromEntries(
          Object.entries(users)
            .filter(([, user]) => user.openssh.authorizedKeys.keys.length > 0)
            .map(([name, user]) => [`ssh/authorized_keys.d/${name}`, { text: `${user.openssh.authorizedKeys.keys.join("\n")}\n`, mode: "0444" }]),
        ),
      },
      assertions: [
        ...Object.keys({ ...users, ...groups }).map((name) => ({
          assertion: accountName.test(name),
          message: `"${name}" cannot be the name of a user or group: lower-case letters, digits, "_" and "-", a letter first, at most 31`,
        })),
        ...Object.entries(users).flatMap(([name, user]) => [
          {
            assertion: name === "root" || user.isNormalUser !== user.isSystemUser,
            message: `users.users.${name}: set exactly one of "isNormalUser" and "isSystemUser"`,
          },
          {
            assertion: user.group !== null || user.isNormalUser,
            message: `users.users.${name}.group is not set; a service's account needs a group of its own, such as users.users.${name}.group = "${name}" with users.groups.${name} = {}`,
          },
          ...[...(user.group === null ? [] : [user.group]), ...user.extraGroups].map((group) => ({
            assertion: known(group),
            message: `users.users.${name} names the group "${group}", which is not in users.groups`,
          })),
        ]),
        ...sameNumbers(Object.entries(users).map(([name, user]) => [name, user.uid]), "users.users", "uid"),
        ...sameNumbers(Object.entries(groups).map(([name, group]) => [name, group.gid]), "users.groups", "gid"),
      ],
    };
  },
});

function sameNumbers(entries: readonly (readonly [string, number | null])[], place: string, kind: string) {
  const holders = new Map<number, string>();
  const problems: { assertion: boolean; message: string }[] = [];
  for (const [name, number] of entries) {
    if (number === null) continue;
    const other = holders.get(number);
    if (other !== undefined) problems.push({ assertion: false, message: `${place}.${other} and ${place}.${name} have the same ${kind} ${number}` });
    holders.set(number, name);
  }
  return problems;
}
