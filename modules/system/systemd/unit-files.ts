import type { Config, Packages } from "../../../core/index.ts";
import { OS_ROOT_UNITS } from "./os-root-units.ts";
import { formatUnit, quoteEnvironment, templateOfUnit, type UnitSection } from "./unit-text.ts";

type Service = Config["systemd"]["services"][string];
type Timer = Config["systemd"]["timers"][string];
type Socket = Config["systemd"]["sockets"][string];
type Path = Config["systemd"]["paths"][string];
type Slice = Config["systemd"]["slices"][string];
type Target = Config["systemd"]["targets"][string];
type Mount = Config["systemd"]["mounts"][number];

/** A unit as it goes into the tree of units. */
export type UnitFile = {
  /** With its suffix: `nginx.service`. */
  readonly name: string;
  /** `file`: the whole unit. `drop-in`: keys added to a unit that is elsewhere. `masked`: it may not run. */
  readonly kind: "file" | "drop-in" | "masked";
  readonly text: string;
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly aliases: readonly string[];
};

export type TreeEntry =
  | { readonly path: string; readonly kind: "file"; readonly contents: string }
  | { readonly path: string; readonly kind: "symlink"; readonly target: string };

/** What a service finds on its PATH beside its own `path`: the tools of the OS root. */
const SYSTEM_PATH = ["/usr/bin", "/usr/sbin"];

/** Where the units of the OS root lie. */
const OS_ROOT_FOLDER = "/usr/lib/systemd/system";

export function serviceUnit(name: string, service: Service, pkgs: Packages): UnitFile {
  // As NixOS's, a script ends at the first command that fails.
  const script = (part: string, text: string): string => `${pkgs.writeShellScript(`unit-script-${name.replace(/[^A-Za-z0-9.+_-]/g, "-")}-${part}`, `set -e\n${text}\n`)}`;
  const isDropIn = unitKindOf(`${name}.service`, service) === "drop-in";
  const folders = [
    ...service.path.flatMap((entry) => [`${entry}/bin`, `${entry}/sbin`]),
    // What a unit of the OS root finds by itself is left alone.
    ...(service.enableDefaultPath && (!isDropIn || service.path.length > 0) ? SYSTEM_PATH : []),
  ];
  const environment: Record<string, string> = folders.length === 0 ? {} : { PATH: folders.join(":") };
  for (const [variable, value] of Object.entries(service.environment)) {
    if (value === null) delete environment[variable];
    else environment[variable] = value === true ? "1" : value === false ? "" : `${value}`;
  }
  const own: UnitSection = {
    Environment: Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1)).map(([variable, value]) => quoteEnvironment(variable, value)),
    ...(service.restartIfChanged ? {} : { "X-RestartIfChanged": false }),
    ...(service.reloadIfChanged ? { "X-ReloadIfChanged": true } : {}),
    ...(service.stopIfChanged ? {} : { "X-StopIfChanged": false }),
    ...(service.notSocketActivated ? { "X-NotSocketActivated": true } : {}),
    ...(service.preStart === "" ? {} : { ExecStartPre: script("pre-start", service.preStart) }),
    ...(service.script === "" ? {} : { ExecStart: `${script("start", service.script)} ${service.scriptArgs}`.trimEnd() }),
    ...(service.postStart === "" ? {} : { ExecStartPost: script("post-start", service.postStart) }),
    ...(service.reload === "" ? {} : { ExecReload: script("reload", service.reload) }),
    ...(service.preStop === "" ? {} : { ExecStop: script("pre-stop", service.preStop) }),
    ...(service.postStop === "" ? {} : { ExecStopPost: script("post-stop", service.postStop) }),
  };
  return unit(`${name}.service`, service, [["Service", mergeSections(own, service.serviceConfig)]], pkgs);
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

export function timerUnit(name: string, timer: Timer, pkgs: Packages): UnitFile {
  return unit(`${name}.timer`, timer, [["Timer", timer.timerConfig]], pkgs);
}

export function socketUnit(name: string, socket: Socket, pkgs: Packages): UnitFile {
  return unit(`${name}.socket`, socket, [["Socket", { ListenStream: socket.listenStreams, ListenDatagram: socket.listenDatagrams, ...socket.socketConfig }]], pkgs);
}

export function pathUnit(name: string, path: Path, pkgs: Packages): UnitFile {
  return unit(`${name}.path`, path, [["Path", path.pathConfig]], pkgs);
}

export function sliceUnit(name: string, slice: Slice, pkgs: Packages): UnitFile {
  return unit(`${name}.slice`, slice, [["Slice", slice.sliceConfig]], pkgs);
}

export function targetUnit(name: string, target: Target, pkgs: Packages): UnitFile {
  return unit(`${name}.target`, target, [], pkgs);
}

export function mountUnit(mount: Mount, pkgs: Packages): UnitFile {
  const section = { What: mount.what, Where: mount.where, ...(mount.type === "" ? {} : { Type: mount.type }), ...(mount.options === "" ? {} : { Options: mount.options }), ...mount.mountConfig };
  return unit(`${escapePath(mount.where)}.mount`, mount, [["Mount", section]], pkgs);
}

/** As `systemd-escape --path`. */
export function escapePath(path: string): string {
  const trimmed = path.split("/").filter((part) => part !== "").join("/");
  if (trimmed === "") return "-";
  return trimmed.replace(/^\.|[^A-Za-z0-9:_./]/gu, (character) => [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")).replaceAll("/", "-");
}

/** What becomes of the definition of the unit `name`. */
export function unitKindOf(name: string, common: Pick<Target, "enable" | "overrideStrategy">): UnitFile["kind"] {
  if (!common.enable) return "masked";
  if (common.overrideStrategy === "replace") return "file";
  const template = templateOfUnit(name);
  const exists = OS_ROOT_UNITS.has(name) || (template !== undefined && OS_ROOT_UNITS.has(template));
  return common.overrideStrategy === "asDropin" || exists ? "drop-in" : "file";
}

function unit(name: string, common: Target, sections: readonly (readonly [string, UnitSection])[], pkgs: Packages): UnitFile {
  const { wantedBy, requiredBy, aliases } = common;
  const kind = unitKindOf(name, common);
  if (kind === "masked") return { name, kind, text: "", wantedBy: [], requiredBy: [], aliases: [] };
  const triggers = (key: string, values: readonly unknown[]): UnitSection => {
    if (values.length === 0) return {};
    const text = values.map((value) => `${value}`).join(" ");
    // A long text, or one of several lines, stands in a file whose path changes with it.
    return { [key]: text.length > 1000 || /[\n\\]/.test(text) ? pkgs.writeText(`${key}-${name.replace(/[^A-Za-z0-9.+_-]/g, "-")}`, text) : text };
  };
  const head: UnitSection = {
    ...(common.description === "" ? {} : { Description: common.description }),
    ...lists({
      Documentation: common.documentation,
      Requires: common.requires,
      Requisite: common.requisite,
      Wants: common.wants,
      Upholds: common.upholds,
      BindsTo: common.bindsTo,
      PartOf: common.partOf,
      Conflicts: common.conflicts,
      After: common.after,
      Before: common.before,
      OnFailure: common.onFailure,
      OnSuccess: common.onSuccess,
    }),
    ...(common.startLimitBurst === null ? {} : { StartLimitBurst: common.startLimitBurst }),
    ...(common.startLimitIntervalSec === null ? {} : { StartLimitIntervalSec: common.startLimitIntervalSec }),
    ...triggers("X-Restart-Triggers", common.restartTriggers),
    ...triggers("X-Reload-Triggers", common.reloadTriggers),
    ...common.unitConfig,
  };
  return { name, kind, text: formatUnit([["Unit", head], ...sections]), wantedBy, requiredBy, aliases };
}

function lists(given: Readonly<Record<string, readonly string[]>>): UnitSection {
  return Object.fromEntries(Object.entries(given).filter(([, names]) => names.length > 0).map(([key, names]) => [key, names.join(" ")]));
}

/** What `/etc/systemd/system` holds: units, drop-ins, aliases, and links where others want or require them. */
export function unitTree(units: readonly UnitFile[], defaultTarget: string): readonly TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  const link = (path: string, target: string): void => void entries.set(path, { path, kind: "symlink", target });
  const files = new Set(units.filter(({ kind }) => kind === "file").map(({ name }) => name));
  // Where the fragment of a unit lies, seen from `up`; an instance has its template's.
  const fragment = (name: string, up: string): string => {
    const found = [name, templateOfUnit(name) ?? name].find((one) => files.has(one));
    if (found !== undefined) return `${up}${found}`;
    return `${OS_ROOT_FOLDER}/${OS_ROOT_UNITS.has(name) ? name : (templateOfUnit(name) ?? name)}`;
  };
  link("default.target", fragment(defaultTarget, ""));
  for (const { name, kind, text, wantedBy, requiredBy, aliases } of units) {
    if (kind === "masked") link(name, "/dev/null");
    else if (kind === "file") entries.set(name, { path: name, kind: "file", contents: text });
    else if (text !== "") entries.set(`${name}.d`, { path: `${name}.d/overrides.conf`, kind: "file", contents: text });
    for (const alias of aliases) link(alias, fragment(name, ""));
    for (const other of wantedBy) link(`${other}.wants/${name}`, fragment(name, "../"));
    for (const other of requiredBy) link(`${other}.requires/${name}`, fragment(name, "../"));
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
