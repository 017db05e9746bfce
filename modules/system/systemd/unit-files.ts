import type { Config, Packages } from "../../../core/index.ts";
import { checkUnitName, formatUnit, quoteEnvironment, type UnitSection } from "./unit-text.ts";

type Service = Config["systemd"]["services"][string];
type Timer = Config["systemd"]["timers"][string];
type Socket = Config["systemd"]["sockets"][string];
type Target = Config["systemd"]["targets"][string];
type Mount = Config["systemd"]["mounts"][number];

/** A unit as it goes into the tree of units. */
export type UnitFile = {
  /** With its suffix: `nginx.service`. */
  readonly name: string;
  /** Null masks the unit. */
  readonly text: string | null;
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly aliases: readonly string[];
};

export type TreeEntry =
  | { readonly path: string; readonly kind: "file"; readonly contents: string }
  | { readonly path: string; readonly kind: "symlink"; readonly target: string };

/** What a service finds on its PATH beside its own `path`: the tools of the OS root. */
const SYSTEM_PATH = ["/usr/bin", "/usr/sbin"];

export function serviceUnit(name: string, service: Service, pkgs: Packages): UnitFile {
  const script = (part: string, text: string): string => `${pkgs.writeShellScript(`unit-script-${checkUnitName(name).replace(/[^A-Za-z0-9.+_-]/g, "-")}-${part}`, text)}`;
  const path = [...service.path.map((entry) => `${entry}/bin`), ...SYSTEM_PATH].join(":");
  const environment: Record<string, string> = { PATH: path };
  for (const [variable, value] of Object.entries(service.environment)) {
    if (value === null) delete environment[variable];
    else environment[variable] = value === true ? "1" : value === false ? "" : `${value}`;
  }
  const own: UnitSection = {
    Environment: Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1)).map(([variable, value]) => quoteEnvironment(variable, value)),
    ...(service.restartIfChanged ? {} : { "X-RestartIfChanged": false }),
    ...(service.reloadIfChanged ? { "X-ReloadIfChanged": true } : {}),
    ...(service.stopIfChanged ? {} : { "X-StopIfChanged": false }),
    ...(service.preStart === "" ? {} : { ExecStartPre: [script("pre-start", service.preStart)] }),
    ...(service.script === "" ? {} : { ExecStart: `${script("start", service.script)} ${service.scriptArgs}`.trimEnd() }),
    ...(service.postStart === "" ? {} : { ExecStartPost: [script("post-start", service.postStart)] }),
    ...(service.reload === "" ? {} : { ExecReload: script("reload", service.reload) }),
    ...(service.preStop === "" ? {} : { ExecStop: script("pre-stop", service.preStop) }),
    ...(service.postStop === "" ? {} : { ExecStopPost: script("post-stop", service.postStop) }),
  };
  return unit(`${name}.service`, service, [["Service", mergeSections(own, service.serviceConfig)]]);
}

/** Keys that both give are given twice, the script's first: `serviceConfig` may add a further ExecStartPre. */
function mergeSections(own: UnitSection, given: UnitSection): UnitSection {
  const result: Record<string, UnitSection[string]> = { ...own };
  for (const [key, value] of Object.entries(given)) {
    const before = result[key];
    if (before === undefined || before === null || value === null || value === undefined) result[key] = value;
    else if (key.startsWith("Exec") || key === "Environment") result[key] = [...listOf(before), ...listOf(value)];
    else result[key] = value;
  }
  return result;
}

function listOf(value: NonNullable<UnitSection[string]>) {
  return (Array.isArray(value) ? value : [value]) as readonly string[];
}

export function timerUnit(name: string, timer: Timer): UnitFile {
  return unit(`${name}.timer`, timer, [["Timer", timer.timerConfig]]);
}

/** The timer that a service's `startAt` asks for, or undefined. */
export function findStartAtTimer(name: string, service: Service): UnitFile | undefined {
  const times = typeof service.startAt === "string" ? [service.startAt] : service.startAt;
  if (times.length === 0) return undefined;
  const text = formatUnit([["Unit", {}], ["Timer", { OnCalendar: times }]]);
  return { name: `${checkUnitName(name)}.timer`, text, wantedBy: ["timers.target"], requiredBy: [], aliases: [] };
}

export function socketUnit(name: string, socket: Socket): UnitFile {
  return unit(`${name}.socket`, socket, [["Socket", { ListenStream: socket.listenStreams, ListenDatagram: socket.listenDatagrams, ...socket.socketConfig }]]);
}

export function targetUnit(name: string, target: Target): UnitFile {
  return unit(`${name}.target`, target, []);
}

export function mountUnit(mount: Mount): UnitFile {
  const section = { What: mount.what, Where: mount.where, ...(mount.type === "" ? {} : { Type: mount.type }), ...(mount.options === "" ? {} : { Options: mount.options }), ...mount.mountConfig };
  return unit(`${escapePath(mount.where)}.mount`, mount, [["Mount", section]]);
}

/** As `systemd-escape --path`. */
export function escapePath(path: string): string {
  const trimmed = path.split("/").filter((part) => part !== "").join("/");
  if (trimmed === "") return "-";
  return trimmed.replace(/^\.|[^A-Za-z0-9:_./]/g, (character) => [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")).replaceAll("/", "-");
}

function unit(name: string, common: Target, sections: readonly (readonly [string, UnitSection])[]): UnitFile {
  checkUnitName(name);
  const { wantedBy, requiredBy, aliases } = common;
  if (!common.enable) return { name, text: null, wantedBy: [], requiredBy: [], aliases: [] };
  const head: UnitSection = {
    ...(common.description === "" ? {} : { Description: common.description }),
    ...lists({
      Documentation: common.documentation,
      Requires: common.requires,
      Requisite: common.requisite,
      Wants: common.wants,
      BindsTo: common.bindsTo,
      PartOf: common.partOf,
      Conflicts: common.conflicts,
      After: common.after,
      Before: common.before,
      OnFailure: common.onFailure,
    }),
    ...(common.restartTriggers.length === 0 ? {} : { "X-Restart-Triggers": common.restartTriggers.join(" ") }),
    ...(common.reloadTriggers.length === 0 ? {} : { "X-Reload-Triggers": common.reloadTriggers.join(" ") }),
    ...common.unitConfig,
  };
  return { name, text: formatUnit([["Unit", head], ...sections]), wantedBy, requiredBy, aliases };
}

function lists(given: Readonly<Record<string, readonly string[]>>): UnitSection {
  return Object.fromEntries(Object.entries(given).filter(([, names]) => names.length > 0).map(([key, names]) => [key, names.join(" ")]));
}

/** What `/etc/systemd/system` holds: the units, their aliases, and links where others want or require them. */
export function unitTree(units: readonly UnitFile[], defaultTarget: string): readonly TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  const link = (path: string, target: string): void => void entries.set(path, { path, kind: "symlink", target });
  link("default.target", `/usr/lib/systemd/system/${defaultTarget}`);
  for (const { name, text, wantedBy, requiredBy, aliases } of units) {
    if (text === null) link(name, "/dev/null");
    else entries.set(name, { path: name, kind: "file", contents: text });
    for (const alias of aliases) link(alias, name);
    for (const other of wantedBy) link(`${checkUnitName(other)}.wants/${name}`, `../${name}`);
    for (const other of requiredBy) link(`${checkUnitName(other)}.requires/${name}`, `../${name}`);
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
