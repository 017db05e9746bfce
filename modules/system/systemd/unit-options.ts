import { option, types } from "../../../core/index.ts";
import { UNIT_NAME } from "./unit-text.ts";

/** `nginx.service`: with its suffix, which is forgotten easily and would make systemd ignore the line. */
const unitName = types.strMatching(UNIT_NAME);

const units = (description: string) => option(types.listOf(unitName), { default: [], description });
const words = (description: string) => option(types.listOf(types.singleLineStr), { default: [], description });

/**
 * A value in a section of a unit file: text, number, switch, package, or several of them. What one module gives as a
 * list and another as one value is put together.
 */
export const unitValue = types.nullOr(types.valueOrList(types.oneOf([types.bool, types.int, types.float, types.str, types.package])));

/** What every kind of unit has. */
export const commonUnitOptions = {
  enable: option(types.bool, { default: true, description: "Whether the unit may run; false masks it." }),
  overrideStrategy: option(types.enum(["asDropinIfExists", "asDropin", "replace"]), {
    default: "asDropinIfExists",
    description:
      "What becomes of the definition: `asDropinIfExists` adds it to a unit of the same name that the OS root has, and makes a unit of it otherwise; `asDropin` always adds, for a unit that a generator or another package brings, or for one instance of a template; `replace` is the whole unit, whatever the OS root has.",
  }),
  description: option(types.singleLineStr, { default: "", description: "What the unit is, for people." }),
  documentation: words("URIs of documentation."),
  requires: units("Units started with this one; this one stops with them."),
  requisite: units("Units that must run already."),
  wants: units("Units started with this one, if they can be."),
  upholds: units("Units that are kept running while this one is."),
  bindsTo: units("Units without which this one cannot be active."),
  partOf: units("Units whose stop or restart is this one's too."),
  conflicts: units("Units that cannot run beside this one."),
  after: units("Units that this one is started after, when both are."),
  before: units("Units that this one is started before, when both are."),
  onFailure: units("Units started when this one fails."),
  onSuccess: units("Units started when this one ends well."),
  startLimitBurst: option(types.nullOr(types.ints.unsigned), { default: null, description: "How often the unit may start within `startLimitIntervalSec`." }),
  startLimitIntervalSec: option(types.nullOr(types.ints.unsigned), { default: null, description: "The time, in seconds, over which starts are counted; 0 counts none." }),
  wantedBy: units("Units that start this one, if it can be."),
  requiredBy: units("Units that cannot be without this one."),
  aliases: units("Further names, with the same suffix."),
  unitConfig: option(types.attrsOf(unitValue), { default: {}, description: "Further keys of the section [Unit].", example: { RequiresMountsFor: "/data" } }),
  restartTriggers: option(types.listOf(types.oneOf([types.str, types.package])), { default: [], description: "What, when it changes, makes a switch restart the unit." }),
  reloadTriggers: option(types.listOf(types.oneOf([types.str, types.package])), { default: [], description: "What, when it changes, makes a switch reload the unit." }),
};

export const serviceOptions = {
  ...commonUnitOptions,
  environment: option(types.attrsOf(types.nullOr(types.oneOf([types.str, types.int, types.bool, types.package]))), {
    default: {},
    description: "The service's environment; null takes a variable out. systemd's specifiers (%S, %t) have their meaning, %% is a percent sign.",
    example: { LANG: "C.UTF-8" },
  }),
  path: option(types.listOf(types.oneOf([types.package, types.str])), { default: [], description: "Packages whose `bin` and `sbin` are on the service's PATH, before the system's own." }),
  enableDefaultPath: option(types.bool, { default: true, description: "Whether the OS root's tools are on the service's PATH." }),
  serviceConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Service].", example: { RestartSec: 5 } }),
  script: option(types.lines, { default: "", description: "A shell script that is the service's main process. It ends at the first command that fails." }),
  scriptArgs: option(types.singleLineStr, { default: "", description: "Arguments of `script`." }),
  preStart: option(types.lines, { default: "", description: "A shell script run before the main process starts." }),
  postStart: option(types.lines, { default: "", description: "A shell script run once the main process has started." }),
  reload: option(types.lines, { default: "", description: "A shell script that makes the service read its configuration again." }),
  preStop: option(types.lines, { default: "", description: "A shell script run to stop the service." }),
  postStop: option(types.lines, { default: "", description: "A shell script run after the service has stopped." }),
  restartIfChanged: option(types.bool, { default: true, description: "Whether a switch restarts the service when its definition changed." }),
  reloadIfChanged: option(types.bool, { default: false, description: "Whether a switch reloads the service, rather than restart it, when its definition changed." }),
  stopIfChanged: option(types.bool, { default: true, description: "Whether a changed service is stopped with its old definition and started with the new one; otherwise `systemctl restart` does both." }),
  notSocketActivated: option(types.bool, { default: false, description: "Whether a switch starts a changed service itself although a socket of the same name listens." }),
  startAt: option(types.either(types.singleLineStr, types.listOf(types.singleLineStr)), { default: [], description: "When a timer of the same name starts the service, as in systemd.time(7).", example: "Sun 14:00:00" }),
};

export const timerOptions = {
  ...commonUnitOptions,
  timerConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Timer].", example: { OnCalendar: "daily" } }),
};

export const socketOptions = {
  ...commonUnitOptions,
  listenStreams: words("What the socket listens on: a port, an address, a path (ListenStream=)."),
  listenDatagrams: words("What the socket receives datagrams on (ListenDatagram=)."),
  socketConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Socket]." }),
};

export const pathOptions = {
  ...commonUnitOptions,
  pathConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Path].", example: { PathChanged: "/run/app/reload" } }),
};

export const sliceOptions = {
  ...commonUnitOptions,
  sliceConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Slice].", example: { MemoryMax: "2G" } }),
};

export const mountOptions = {
  ...commonUnitOptions,
  what: option(types.singleLineStr, { description: "The device, or what takes its place." }),
  where: option(types.singleLineStr, { description: "The mount point." }),
  type: option(types.singleLineStr, { default: "", description: "The file system." }),
  options: option(types.commas, { default: "", description: "Mount options." }),
  mountConfig: option(types.attrsOf(unitValue), { default: {}, description: "Further keys of the section [Mount]." }),
};
