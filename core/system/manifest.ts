/**
 * The contract between who describes a machine (`modules`), who builds its toplevel and who activates it.
 * This file is pure: it is bundled into the evaluation's isolate, the activator and the command line.
 *
 * A toplevel is a store path that holds (`toplevelEntries` in toplevel.ts gives them all but `etc`'s content):
 *
 * | path | what it is |
 * |---|---|
 * | `manifest.json` | a `SystemManifest`; everything else the activator knows, it reads from there |
 * | `etc/` | the tree of /etc: one symbolic link at `etc/TARGET` for each entry of kind `link` |
 * | `etc/systemd/system` | the units (as one entry `systemd/system`): unit files, `NAME.d`, `TARGET.wants` links |
 * | `sw` | link to the system path (the link farm of `environment.systemPackages`) |
 * | `os-root` | link to the OS root: a merged tree with `usr/`, which /usr of the machine points to |
 * | `activate.mjs` | link to the activator's bundle |
 * | `init` | what boots the machine: activates, then becomes `/usr/lib/systemd/systemd` |
 * | `bin/switch-to-configuration` | `switch`, `test`, `boot`, `dry-activate` |
 * | `specialisation/NAME` | link to the toplevel of a variant of the machine |
 * | `tsos-version` | the version of tsos that made it, with a newline |
 * | `system` | the platform, such as `x86_64-linux`, without a newline |
 *
 * Everything the manifest names is a full logical path (`/nix/store/…`), so a toplevel's references, found by
 * scanning, are all that a generation needs.
 */
export type SystemManifest = {
  readonly version: typeof MANIFEST_VERSION;
  /** The platform, such as `x86_64-linux`. */
  readonly system: string;
  /** For people: what `tsos generations` shows beside the number, such as `26.11`. */
  readonly label: string;
  readonly stateVersion: string;

  /** The merged tree of the OS (store path); its `usr` becomes /usr, and /bin, /sbin, /lib, /lib64 point into it. */
  readonly osRoot: string;
  /** The system path (store path); /run/current-system/sw leads to it. */
  readonly systemPath: string;

  readonly etc: readonly EtcEntry[];
  readonly users: UsersManifest;

  /**
   * Lines of tmpfiles.d(5), applied by the OS root's systemd-tmpfiles at each activation, in this order. The
   * module puts the same lines into /etc/tmpfiles.d, so that they hold at boot and for the daily cleaning.
   */
  readonly tmpfiles: readonly string[];
  /** Kernel parameters by their dotted names. One that this machine does not have is a warning, as in sysctl(8). */
  readonly sysctl: Readonly<Record<string, string>>;
  /** The static host name; the empty string leaves it to the machine. */
  readonly hostName: string;
  /** A name below /usr/share/zoneinfo, or null to leave /etc/localtime to the machine's admin. */
  readonly timeZone: string | null;
  /** `LANG`; written to /etc/locale.conf, and null leaves that file alone. */
  readonly locale: string | null;

  /**
   * The nftables rules (store path of a file). The activator checks it (`nft --check`) before it changes
   * anything; the unit that the module defines loads it.
   */
  readonly firewall: { readonly ruleset: string } | null;

  /** Copies with setuid or setgid bits in /run/wrappers/bin, since a store path has none. */
  readonly wrappers: readonly Wrapper[];

  /**
   * Programs to run after users, /etc and tmpfiles are in place and before units start, in this order. Each is
   * run at every boot and every switch, as root, with `TSOS_ACTION` in its environment, so it must be idempotent.
   */
  readonly activationPrograms: readonly ActivationProgram[];

  /** The unit that `switch` brings up last and whose wants say what shall run; as a rule `multi-user.target`. */
  readonly defaultTarget: string;
  /** The longest that each of stopping, reloading, restarting and starting units may take. */
  readonly unitTimeoutSeconds: number;

  /** What must hold after a switch; where one fails, the switch is reverted. */
  readonly checks: readonly HealthCheck[];
};

export const MANIFEST_VERSION = 1;

/** One name below /etc. `target` is relative, without `.` or `..`. */
export type EtcEntry =
  /** /etc/TARGET → /etc/static/TARGET → `source`. `source` may be a file or a whole folder. */
  | { readonly kind: "link"; readonly target: string; readonly source: string }
  /** /etc/TARGET is a copy of the file `source`, rewritten when that changes. `mode` is octal: `"0440"`. */
  | {
      readonly kind: "copy";
      readonly target: string;
      readonly source: string;
      readonly mode: string;
      /** A name or a number. */
      readonly user: string;
      readonly group: string;
    };

export type UsersManifest = {
  /**
   * With true, users that were made by hand (`useradd`) and the passwords of all users that are there stay; with
   * false, /etc/passwd and /etc/group hold exactly what is declared, and a declared password always wins.
   */
  readonly mutableUsers: boolean;
  readonly users: readonly UserEntry[];
  readonly groups: readonly GroupEntry[];
};

export type UserEntry = {
  readonly name: string;
  /** Null: given once from the machine's range and kept for good, also while the user is away. */
  readonly uid: number | null;
  /** A declared group's name. */
  readonly group: string;
  readonly extraGroups: readonly string[];
  /** The GECOS field. */
  readonly description: string;
  readonly home: string;
  readonly createHome: boolean;
  /** Octal, such as `"0700"`. */
  readonly homeMode: string;
  /** A full path: a store path's program or one below /usr. */
  readonly shell: string;
  /** A person: an id from 1000 on, rather than from 999 down. */
  readonly isNormalUser: boolean;
  /**
   * Set when the user is made, and at every activation where `mutableUsers` is false. As in shadow(5): `!` is
   * locked, the empty string needs no password. Null is `!`.
   */
  readonly hashedPassword: string | null;
  /** A file on the machine that holds the hash; read at activation, wins over `hashedPassword`. */
  readonly hashedPasswordFile: string | null;
  /** Only for a user that is not there yet, and only if neither of those above is given. */
  readonly initialHashedPassword: string | null;
  /** Gives the user 65,536 subordinate uids and gids, which it keeps. */
  readonly autoSubUidGidRange: boolean;
  // Authorized keys are entries of /etc: kind `copy`, target `ssh/authorized_keys.d/NAME`, mode `0444`, root.
};

export type GroupEntry = {
  readonly name: string;
  readonly gid: number | null;
  /** Beside those whose `extraGroups` name it. */
  readonly members: readonly string[];
};

export type Wrapper = {
  /** The name in /run/wrappers/bin. */
  readonly name: string;
  /** The program it is a copy of: a full path of the store, such as `<osRoot>/usr/bin/sudo`. */
  readonly source: string;
  readonly user: string;
  readonly group: string;
  /** Octal, such as `"4755"`. */
  readonly mode: string;
};

export type ActivationProgram = {
  readonly name: string;
  /** A full path of the store. */
  readonly program: string;
};

export type HealthCheck = {
  readonly name: string;
  /** How long it may take until it holds; it is tried again until then. */
  readonly timeoutSeconds: number;
} & (
  | { readonly kind: "unit"; readonly unit: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** Holds when the answer has `status` (default: any below 400) and, if given, its body contains `contains`. */
  | { readonly kind: "http"; readonly url: string; readonly status?: number; readonly contains?: string }
  /** Holds when the command ends with 0. */
  | { readonly kind: "command"; readonly command: readonly string[] }
);

/** Where the units lie below /etc. */
export const UNIT_DIRECTORY = "systemd/system";

/*
 * What a unit file may say to the activator (NixOS's names), in `[Unit]` or, but for `X-StopOnRemoval` and
 * `X-OnlyManualStart`, `[Service]`:
 *
 * | key | default | meaning when the unit's definition changed |
 * |---|---|---|
 * | `X-RestartIfChanged` | true | false: left running as it is |
 * | `X-ReloadIfChanged` | false | true: reloaded instead of restarted |
 * | `X-StopIfChanged` | true | true: stopped with the old definition, started with the new; false: `systemctl restart` |
 * | `X-NotSocketActivated` | false | true: started itself although a socket of the same name listens |
 * | `X-StopOnRemoval` | true | false: not stopped when it is gone from the new generation |
 * | `X-StopOnReconfiguration` | false | (targets) stopped before every switch |
 * | `X-OnlyManualStart` | false | (targets, services) never started by a switch |
 * | `X-Restart-Triggers`, `X-Reload-Triggers` | | any text; a change of the first restarts, of the second alone reloads |
 */
