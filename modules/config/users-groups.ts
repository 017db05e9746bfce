import { defineModule, defineOptions, option, types } from "../../core/index.ts";

/** A name that useradd takes: it must be safe in /etc/passwd, in paths and in units. */
const accountName = /^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/;

/** A colon would end the field of /etc/passwd. */
const absolutePath = types.strMatching(/\/[^:\n]*/, "absolute path without colons");

const hash = (description: string) =>
  option(types.nullOr(types.passwdEntry(types.str)), { default: null, description, example: "$y$j9T$…" });

const options = defineOptions({
  users: {
    mutableUsers: option(types.bool, {
      default: true,
      description: "Whether users and passwords made by hand (useradd, passwd) stay. With false, exactly what is declared is there.",
    }),
    enforceIdUniqueness: option(types.bool, { default: true, description: "Whether two users, or two groups, must not have the same number." }),
    allowNoPasswordLogin: option(types.bool, { default: false, description: "Whether nobody need be able to log in where `mutableUsers` is false." }),
    defaultUserShell: option(types.either(types.shellPackage, absolutePath), { default: "/usr/bin/bash", description: "The login shell of people who name none." }),
    users: option(
      types.attrsOf(
        types.submodule({
          options: {
            name: option(types.passwdEntry(types.str), { default: ({ name }) => name, defaultText: "the attribute's name", description: "The account's name." }),
            uid: option(types.nullOr(types.ints.between(0, 2 ** 32 - 2)), { default: null, description: "The user's number; null gives one that is kept for good." }),
            isNormalUser: option(types.bool, { default: false, description: "A person: an id from 1000 on, the group `users`, a home, the default shell." }),
            isSystemUser: option(types.bool, { default: false, description: "A service's account: an id below 1000, no home, no login." }),
            description: option(types.passwdEntry(types.str), { default: "", description: "The user's full name.", example: "Ada Lovelace" }),
            group: option(types.str, { default: "", description: "The primary group; a person's is `users`." }),
            extraGroups: option(types.listOf(types.str), { default: [], description: "Further groups.", example: ["wheel"] }),
            home: option(absolutePath, { default: "/var/empty", description: "The home folder; a person's is /home/NAME." }),
            homeMode: option(types.strMatching(/[0-7]{3,4}/), { default: "700", description: "The mode of a home folder that is made." }),
            createHome: option(types.bool, { default: false, description: "Whether the home folder is made; a person's is." }),
            useDefaultShell: option(types.bool, { default: false, description: "Whether the login shell is users.defaultUserShell; a person's is." }),
            shell: option(types.nullOr(types.either(types.shellPackage, absolutePath)), {
              default: "/usr/sbin/nologin",
              description: "The login shell: a package that is one (it has a `shellPath`, as `pkgs.bash`), or a path.",
              example: "/usr/bin/bash",
            }),
            packages: option(types.listOf(types.package), { default: [], description: "Packages whose programs this user has.", defaultText: "[]" }),
            hashedPassword: hash("The password's hash, as of mkpasswd. Who can read the store can read it."),
            hashedPasswordFile: option(types.nullOr(types.strMatching(/\/.*/)), { default: null, description: "A file on the machine that holds the password's hash; wins over the others.", example: "/var/keys/ada" }),
            initialHashedPassword: hash("The password's hash for a user who is not there yet."),
            autoSubUidGidRange: option(types.bool, { default: false, description: "Whether the user gets 65,536 subordinate ids, for rootless containers; a person does." }),
            openssh: {
              authorizedKeys: {
                keys: option(types.listOf(types.singleLineStr), { default: [], description: "Public keys that may log in as this user.", example: ["ssh-ed25519 AAAA… ada@example"] }),
                keyFiles: option(types.listOf(types.path), { default: [], description: "Files with such keys: `path(\"./ada.pub\")`." }),
              },
            },
          },
          config: ({ config, name, lib }) =>
            config.isNormalUser
              ? {
                  group: lib.mkDefault("users"),
                  createHome: lib.mkDefault(true),
                  // Of a name that cannot be one, the name is what is wrong.
                  ...(accountName.test(name) ? { home: lib.mkDefault(`/home/${name}`) } : {}),
                  useDefaultShell: lib.mkDefault(true),
                  isSystemUser: lib.mkDefault(false),
                  autoSubUidGidRange: lib.mkDefault(true),
                }
              : {},
        }),
      ),
      { default: {}, description: "Users, by name.", example: { ada: { isNormalUser: true, extraGroups: ["wheel"] } } },
    ),
    groups: option(
      types.attrsOf(
        types.submodule({
          options: {
            name: option(types.passwdEntry(types.str), { default: ({ name }) => name, defaultText: "the attribute's name", description: "The group's name." }),
            gid: option(types.nullOr(types.ints.between(0, 2 ** 32 - 2)), { default: null, description: "The group's number; null gives one that is kept for good." }),
            members: option(types.listOf(types.passwdEntry(types.str)), { default: [], description: "Users in it, beside those whose `extraGroups` name it." }),
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
const SYSTEM_GROUPS = [
  "wheel", "systemd-journal", "systemd-network", "systemd-resolve", "systemd-timesync", "messagebus", "input", "render",
  "kvm", "sgx", "clock", "crontab", "netdev", "_ssh",
];

type SystemUser = { readonly uid?: number; readonly group: string; readonly home: string; readonly description: string };

const SYSTEM_USERS: Readonly<Record<string, SystemUser>> = {
  daemon: { uid: 1, group: "daemon", home: "/usr/sbin", description: "daemon" },
  bin: { uid: 2, group: "bin", home: "/bin", description: "bin" },
  sys: { uid: 3, group: "sys", home: "/dev", description: "sys" },
  man: { uid: 6, group: "man", home: "/var/cache/man", description: "man" },
  lp: { uid: 7, group: "lp", home: "/var/spool/lpd", description: "lp" },
  mail: { uid: 8, group: "mail", home: "/var/mail", description: "mail" },
  "www-data": { uid: 33, group: "www-data", home: "/var/www", description: "www-data" },
  backup: { uid: 34, group: "backup", home: "/var/backups", description: "backup" },
  nobody: { uid: 65534, group: "nogroup", home: "/nonexistent", description: "nobody" },
  messagebus: { group: "messagebus", home: "/nonexistent", description: "System Message Bus" },
  "systemd-network": { group: "systemd-network", home: "/", description: "systemd Network Management" },
  "systemd-resolve": { group: "systemd-resolve", home: "/", description: "systemd Resolver" },
  "systemd-timesync": { group: "systemd-timesync", home: "/", description: "systemd Time Synchronization" },
};

/** What a key's line holds: a key's type and its base-64, options before and a comment after. */
const PUBLIC_KEY = /(^|\s)(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp\d+|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)(-cert-v01@openssh\.com)?\s+AAAA[A-Za-z0-9+/]+={0,3}(\s|$)/;

export default defineModule({
  options,
  config: ({ config, lib, pkgs }) => {
    const { users, groups, mutableUsers } = config.users;
    const all = Object.entries(users);
    const known = (group: string): boolean => Object.values(groups).some(({ name }) => name === group);
    const canLogIn = all.some(([, user]) => {
      const isAdmin = user.name === "root" || user.extraGroups.includes("wheel") || user.group === "wheel";
      const hasPassword = [user.hashedPassword, user.initialHashedPassword].some((one) => one !== null && !/^[!*]/.test(one)) || user.hashedPasswordFile !== null;
      return isAdmin && (hasPassword || user.openssh.authorizedKeys.keys.length > 0 || user.openssh.authorizedKeys.keyFiles.length > 0);
    });
    return {
      users: {
        users: {
          ...Object.fromEntries(all.filter(([, user]) => user.useDefaultShell).map(([name]) => [name, { shell: lib.mkDefault(config.users.defaultUserShell) }])),
          ...Object.fromEntries(Object.entries(SYSTEM_USERS).map(([name, user]) => [name, { isSystemUser: true, ...user }])),
          root: { uid: 0, group: "root", home: lib.mkDefault("/root"), createHome: lib.mkDefault(true), shell: lib.mkDefault(config.users.defaultUserShell), description: "System administrator" },
        },
        groups: {
          ...Object.fromEntries(Object.entries(STATIC_GROUPS).map(([name, gid]) => [name, { gid }])),
          ...Object.fromEntries(SYSTEM_GROUPS.map((name) => [name, {}])),
        },
      },
      environment: {
        etc: {
          ...Object.fromEntries(
            all
              .filter(([, user]) => user.openssh.authorizedKeys.keys.length > 0 || user.openssh.authorizedKeys.keyFiles.length > 0)
              .map(([, user]) => {
                const { keys, keyFiles } = user.openssh.authorizedKeys;
                const text = keys.map((key) => `${key}\n`).join("");
                // Files are joined when the machine is built: what they hold need not be known before.
                const source =
                  keyFiles.length === 0
                    ? { text }
                    : { source: pkgs.runCommand(`authorized-keys-${user.name}`, { text, keyFiles }, 'printf %s "$text" > $out\nfor file in $keyFiles; do cat "$file"; echo; done >> $out\n') };
                return [`ssh/authorized_keys.d/${user.name}`, { ...source, mode: "0444" }];
              }),
          ),
          ...Object.fromEntries(
            all.filter(([, user]) => user.packages.length > 0).map(([, user]) => [`profiles/per-user/${user.name}`, { source: pkgs.buildEnv({ name: `user-environment-${user.name}`, paths: user.packages }) }]),
          ),
        },
      },
      assertions: [
        ...[...all.map(([key, user]) => ["users", key, user.name] as const), ...Object.entries(groups).map(([key, group]) => ["groups", key, group.name] as const)].map(([kind, key, name]) => ({
          assertion: accountName.test(name),
          message: `users.${kind}.${JSON.stringify(key)}: "${name}" cannot be an account's name: at most 31 letters, digits, "_", "-" and ".", the first a letter or "_"`,
        })),
        ...all.flatMap(([name, user]) => [
          {
            // As in NixOS, a low number says that it is a system's account.
            assertion: user.isNormalUser !== (user.isSystemUser || (user.uid !== null && user.uid < 1000)),
            message: user.isNormalUser
              ? `users.users.${name}: a user with isNormalUser can have neither isSystemUser nor a uid below 1000`
              : `users.users.${name}: set isNormalUser = true for a person, or isSystemUser = true for a service's account`,
          },
          {
            assertion: user.group !== "",
            message: `users.users.${name}.group is not set; give the account a group of its own: users.users.${name}.group = "${name}" and users.groups.${name} = {}`,
          },
          ...[...(user.group === "" ? [] : [["group", user.group] as const]), ...user.extraGroups.map((group) => ["extraGroups", group] as const)].map(([option, group]) => ({
            assertion: known(group),
            message: `users.users.${name}.${option}: there is no group "${group}"; declare it: users.groups.${group} = {}`,
          })),
          ...user.openssh.authorizedKeys.keys.map((key) => ({
            assertion: PUBLIC_KEY.test(key) || key.startsWith("#") || key.trim() === "",
            message: `users.users.${name}.openssh.authorizedKeys.keys: "${key.slice(0, 40)}" is no public key, such as "ssh-ed25519 AAAA… comment"; a file of keys goes into keyFiles`,
          })),
          {
            assertion: [user.hashedPassword, user.initialHashedPassword].every((one) => one === null || one === "" || /^([!*]|!?\$[^$]+\$|_|[./A-Za-z0-9]{13}$)/.test(one)),
            message: `users.users.${name}: what is given as a hashed password is no hash; mkpasswd -m yescrypt makes one`,
          },
        ]),
        ...twice(all.map(([name, user]) => [name, user.name]), "users.users", "name"),
        ...twice(Object.entries(groups).map(([name, group]) => [name, group.name]), "users.groups", "name"),
        ...(config.users.enforceIdUniqueness
          ? [...twice(all.map(([name, user]) => [name, user.uid]), "users.users", "uid"), ...twice(Object.entries(groups).map(([name, group]) => [name, group.gid]), "users.groups", "gid")]
          : []),
        ...Object.entries(groups).flatMap(([name, group]) =>
          group.members.map((member) => ({
            assertion: mutableUsers || all.some(([, user]) => user.name === member),
            message: `users.groups.${name}.members: there is no user "${member}" in users.users`,
          })),
        ),
        {
          assertion: mutableUsers || config.users.allowNoPasswordLogin || canLogIn,
          message:
            "users.mutableUsers is false, and neither root nor a user in wheel has a password or an SSH key: nobody could administer the machine; set users.users.<name>.hashedPassword, hashedPasswordFile or openssh.authorizedKeys.keys, or users.allowNoPasswordLogin = true",
        },
      ],
    };
  },
});

function twice(entries: readonly (readonly [string, string | number | null])[], place: string, kind: string) {
  const holders = new Map<string | number, string>();
  const problems: { assertion: boolean; message: string }[] = [];
  for (const [name, value] of entries) {
    if (value === null) continue;
    const other = holders.get(value);
    if (other !== undefined) problems.push({ assertion: false, message: `${place}.${other} and ${place}.${name} have the same ${kind} ${value}` });
    holders.set(value, name);
  }
  return problems;
}
