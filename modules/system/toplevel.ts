import { defineModule, defineOptions, MANIFEST_VERSION, option, toplevelEntries, types, type EtcEntry, type SystemManifest, type UserEntry } from "../../core/index.ts";
import { shellPath } from "../config/shell-path.ts";
import { sysctlText } from "../config/sysctl.ts";
import { wrapperMode } from "../security/wrapper-mode.ts";

const options = defineOptions({
  system: {
    stateVersion: option(types.strMatching(/\d{2}\.(05|11)/), {
      description: "The release that this machine was first set up with. It keeps state (data folders' layouts) compatible; never change it on a machine that is in use.",
      example: "26.11",
    }),
    label: option(types.strMatching(/^[A-Za-z0-9:_.-]*$/), { default: "", description: "A word that `tsos generations` shows beside the number." }),
    build: { toplevel: option(types.package, { internal: true, readOnly: true, description: "The machine: everything that a generation activates." }) },
    tsos: {
      version: option(types.str, { internal: true, description: "The version of tsos that evaluates; the runtime sets it." }),
      activator: option(types.str, { internal: true, description: "The activator's program text; the runtime sets it." }),
    },
    firewallRuleset: option(types.nullOr(types.str), { internal: true, default: null, description: "The nftables rules that are checked before a switch." }),
    activationPrograms: option(
      types.attrsOf(types.submodule({ options: { program: option(types.str, { description: "A program of the store." }) } })),
      { default: {}, description: "Programs run at every boot and switch, before units start; each must be idempotent." },
    ),
    healthChecks: option(
      types.attrsOf(
        types.submodule({
          options: {
            unit: option(types.nullOr(types.str), { default: null, description: "A unit that must be active." }),
            url: option(types.nullOr(types.str), { default: null, description: "A URL that must answer." }),
            contains: option(types.nullOr(types.str), { default: null, description: "What the answer's body must contain." }),
            tcp: option(types.nullOr(types.port), { default: null, description: "A port on loopback that must accept a connection." }),
            command: option(types.nullOr(types.listOf(types.str)), { default: null, description: "A command that must succeed." }),
            timeoutSeconds: option(types.ints.positive, { default: 30, description: "How long it may take until it holds." }),
          },
        }),
      ),
      { default: {}, description: "What must hold after a switch; where one does not, the switch is reverted.", example: { site: { url: "http://localhost/", contains: "ok" } } },
    ),
    switchTimeoutSeconds: option(types.ints.positive, { default: 300, description: "The longest that stopping and starting units may take in a switch." }),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "system/toplevel": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { system } = config;
    const etc: EtcEntry[] = Object.entries(config.environment.etc)
      .filter(([, file]) => file.enable && (file.source !== null || file.text !== null))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, file]) => {
        const { target } = file;
        const source = file.source === null ? `${pkgs.writeText(`etc-${name.replace(/[^A-Za-z0-9+._-]/g, "-").replace(/^\.+/, "")}`, file.text ?? "")}` : `${file.source}`;
        return file.mode === "symlink" ? { kind: "link", target, source } : { kind: "copy", target, source, mode: file.mode.padStart(4, "0"), user: file.user.replace(/^\+/, ""), group: file.group.replace(/^\+/, "") };
      });
    const users: UserEntry[] = Object.values(config.users.users).map((user) => ({
      name: user.name,
      uid: user.uid,
      group: user.group,
      extraGroups: user.extraGroups,
      description: user.description,
      home: user.home,
      createHome: user.createHome,
      homeMode: user.homeMode.padStart(4, "0"),
      shell: user.shell === null ? "/usr/sbin/nologin" : shellPath(user.shell),
      isNormalUser: user.isNormalUser,
      hashedPassword: user.hashedPassword,
      hashedPasswordFile: user.hashedPasswordFile,
      initialHashedPassword: user.initialHashedPassword,
      autoSubUidGidRange: user.autoSubUidGidRange,
    }));
    const manifest: SystemManifest = {
      version: MANIFEST_VERSION,
      system: "x86_64-linux",
      label: system.label,
      stateVersion: system.stateVersion,
      osRoot: `${system.os.root}`,
      systemPath: `${system.path}`,
      etc,
      users: {
        mutableUsers: config.users.mutableUsers,
        users,
        groups: Object.values(config.users.groups).map((group) => ({ name: group.name, gid: group.gid, members: group.members })),
      },
      tmpfiles: config.systemd.tmpfiles.lines,
      sysctl: Object.fromEntries(Object.entries(config.boot.kernel.sysctl).flatMap(([name, value]) => (value === null ? [] : [[name, sysctlText(value)]]))),
      hostName: config.networking.hostName,
      timeZone: config.time.timeZone,
      locale: config.i18n.defaultLocale,
      firewall: system.firewallRuleset === null ? null : { ruleset: system.firewallRuleset },
      wrappers: Object.entries(config.security.wrappers).map(([name, wrapper]) => ({
        name,
        // The machine's /usr is the OS root's, which only has a path of its own in the store.
        source: wrapper.source.startsWith("/usr/") ? `${system.os.root}${wrapper.source}` : wrapper.source,
        user: wrapper.owner,
        group: wrapper.group,
        mode: wrapperMode(wrapper),
      })),
      activationPrograms: Object.entries(system.activationPrograms).map(([name, { program }]) => ({ name, program })),
      defaultTarget: config.systemd.defaultUnit,
      unitTimeoutSeconds: system.switchTimeoutSeconds,
      checks: Object.entries(system.healthChecks).flatMap(([name, check]) => healthChecks(name, check)),
    };
    return {
      system: {
        build: {
          toplevel: pkgs.writeTree(
            `tsos-system-${config.networking.hostName || "unnamed"}`,
            toplevelEntries({ manifest, activator: `${pkgs.writeText("tsos-activate.mjs", system.tsos.activator)}`, node: `${pkgs.nodejs}/bin/node`, shell: `${pkgs.bash}/bin/bash`, tsosVersion: system.tsos.version, specialisations: Object.fromEntries(Object.entries(system.build.specialisations).map(([name, one]) => [name, `${one}`])) }),
          ),
        },
      },
    };
  },
});

type Check = { readonly unit: string | null; readonly url: string | null; readonly contains: string | null; readonly tcp: number | null; readonly command: readonly string[] | null; readonly timeoutSeconds: number };

/** One declared check may hold several conditions; each is a check of the manifest. */
function healthChecks(name: string, check: Check): SystemManifest["checks"][number][] {
  const { unit, url, contains, tcp, command, timeoutSeconds } = check;
  return [
    ...(unit === null ? [] : [{ name, timeoutSeconds, kind: "unit" as const, unit }]),
    ...(tcp === null ? [] : [{ name, timeoutSeconds, kind: "tcp" as const, host: "127.0.0.1", port: tcp }]),
    ...(url === null ? [] : [{ name, timeoutSeconds, kind: "http" as const, url, ...(contains === null ? {} : { contains }) }]),
    ...(command === null ? [] : [{ name, timeoutSeconds, kind: "command" as const, command }]),
  ];
}
