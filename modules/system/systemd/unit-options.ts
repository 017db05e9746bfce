import { option, types } from "../../../core/index.ts";

const names = (description: string) => option(types.listOf(types.str), { default: [], description });

/** A value in a section of a unit file: text, number, switch, package, or several of them. */
export const unitValue = types.nullOr(
  types.oneOf([types.bool, types.int, types.float, types.str, types.package, types.listOf(types.oneOf([types.bool, types.int, types.float, types.str, types.package]))]),
);

/** What every kind of unit has. */
export const commonUnitOptions = {
  enable: option(types.bool, { default: true, description: "Whether the unit may run; false masks it." }),
  description: option(types.singleLineStr, { default: "", description: "What the unit is, for people." }),
  documentation: names("URIs of documentation."),
  requires: names("Units started with this one; this one stops with them."),
  requisite: names("Units that must run already."),
  wants: names("Units started with this one, if they can be."),
  bindsTo: names("Units without which this one cannot be active."),
  partOf: names("Units whose stop or restart is this one's too."),
  conflicts: names("Units that cannot run beside this one."),
  after: names("Units that this one is started after, when both are."),
  before: names("Units that this one is started before, when both are."),
  onFailure: names("Units started when this one fails."),
  wantedBy: names("Units that start this one, if it can be."),
  requiredBy: names("Units that cannot be without this one."),
  aliases: names("Further names."),
  unitConfig: option(types.attrsOf(unitValue), { default: {}, description: "Further keys of the section [Unit].", example: { RequiresMountsFor: "/data" } }),
  restartTriggers: option(types.listOf(types.oneOf([types.str, types.package])), { default: [], description: "What, when it changes, makes a switch restart the unit." }),
  reloadTriggers: option(types.listOf(types.oneOf([types.str, types.package])), { default: [], description: "What, when it changes, makes a switch reload the unit." }),
};

export const serviceOptions = {
  ...commonUnitOptions,
  environment: option(types.attrsOf(types.nullOr(types.oneOf([types.str, types.int, types.bool, types.package]))), { default: {}, description: "The service's environment; null takes a variable out.", example: { LANG: "C.UTF-8" } }),
  path: option(types.listOf(types.oneOf([types.package, types.str])), { default: [], description: "Packages whose `bin` is on the service's PATH, before the system's own." }),
  serviceConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Service].", example: { RestartSec: 5 } }),
  script: option(types.lines, { default: "", description: "A shell script that is the service's main process." }),
  scriptArgs: option(types.singleLineStr, { default: "", description: "Arguments of `script`." }),
  preStart: option(types.lines, { default: "", description: "A shell script run before the main process starts." }),
  postStart: option(types.lines, { default: "", description: "A shell script run once the main process has started." }),
  reload: option(types.lines, { default: "", description: "A shell script that makes the service read its configuration again." }),
  preStop: option(types.lines, { default: "", description: "A shell script run to stop the service." }),
  postStop: option(types.lines, { default: "", description: "A shell script run after the service has stopped." }),
  restartIfChanged: option(types.bool, { default: true, description: "Whether a switch restarts the service when its definition changed." }),
  reloadIfChanged: option(types.bool, { default: false, description: "Whether a switch reloads the service, rather than restart it, when its definition changed." }),
  stopIfChanged: option(types.bool, { default: true, description: "Whether a changed service is stopped with its old definition and started with the new one; otherwise `systemctl restart` does both." }),
  startAt: option(types.either(types.str, types.listOf(types.str)), { default: [], description: "When a timer of the same name starts the service, as in systemd.time(7).", example: "Sun 14:00:00" }),
};

export const timerOptions = {
  ...commonUnitOptions,
  timerConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Timer].", example: { OnCalendar: "daily" } }),
};

export const socketOptions = {
  ...commonUnitOptions,
  listenStreams: names("What the socket listens on: a port, an address, a path (ListenStream=)."),
  listenDatagrams: names("What the socket receives datagrams on (ListenDatagram=)."),
  socketConfig: option(types.attrsOf(unitValue), { default: {}, description: "Keys of the section [Socket]." }),
};

export const mountOptions = {
  ...commonUnitOptions,
  what: option(types.str, { description: "The device, or what takes its place." }),
  where: option(types.str, { description: "The mount point." }),
  type: option(types.str, { default: "", description: "The file system." }),
  options: option(types.commas, { default: "", description: "Mount options." }),
  mountConfig: option(types.attrsOf(unitValue), { default: {}, description: "Further keys of the section [Mount]." }),
};
