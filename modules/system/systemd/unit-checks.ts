import type { Config } from "../../../core/index.ts";
import { unitKindOf } from "./unit-files.ts";
import { isUnitName, unitKind } from "./unit-text.ts";

type Service = Config["systemd"]["services"][string];
type Timer = Config["systemd"]["timers"][string];
type Target = Config["systemd"]["targets"][string];

const TYPES = ["simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"];
const RESTARTS = ["no", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog", "always"];

/** What systemd would refuse of any unit, or ignore without a word. */
export function unitProblems(name: string, kind: string, common: Target): readonly string[] {
  if (!isUnitName(name)) {
    const suffixed = unitKind(name) === kind ? "" : "; escape other characters as systemd-escape does";
    return [`${JSON.stringify(name)} cannot be the name of a unit: it has letters, digits and ":", "-", "_", ".", "\\", and at most one "@"${suffixed}`];
  }
  return [
    ...(unitKind(name) === kind ? [`write the name without its suffix: "${name.slice(0, -kind.length - 1)}"`] : []),
    ...common.aliases.filter((alias) => unitKind(alias) !== kind).map((alias) => `aliases: "${alias}" must end in ".${kind}" too`),
    ...(name.endsWith("@") && [...common.wantedBy, ...common.requiredBy].length > 0
      ? [`wantedBy: a template runs only as an instance; define "${name}INSTANCE" with overrideStrategy = "asDropin" and let that be wanted`]
      : []),
  ];
}

/** What systemd would refuse of a service when it loads it, found before anything is built. */
export function serviceProblems(name: string, service: Service): readonly string[] {
  const problems = [...unitProblems(name, "service", service)];
  const { serviceConfig } = service;
  const text = (key: string): string | undefined => (typeof serviceConfig[key] === "string" ? serviceConfig[key] : undefined);
  const type = text("Type");
  const restart = text("Restart");
  if (type !== undefined && !TYPES.includes(type)) problems.push(`serviceConfig.Type = "${type}" is not one of ${TYPES.join(", ")}`);
  if (restart !== undefined && !RESTARTS.includes(restart)) problems.push(`serviceConfig.Restart = "${restart}" is not one of ${RESTARTS.join(", ")}`);
  if (type === "oneshot" && (restart === "always" || restart === "on-success")) {
    problems.push(`serviceConfig.Restart = "${restart}" does not go with Type = "oneshot", which would then never end; use "on-failure", or a timer`);
  }
  for (const variable of Object.keys(service.environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) problems.push(`environment: "${variable}" cannot be the name of a variable`);
  }
  if (service.scriptArgs !== "" && service.script === "") problems.push("scriptArgs is set, but not script");
  const starts = commands(serviceConfig["ExecStart"]);
  // A drop-in may take a command back with an empty one, and leaves the others to the unit it adds to.
  if (unitKindOf(`${name}.service`, service) !== "file") return problems;
  if (service.script !== "" && starts.length > 0) problems.push("has both script and serviceConfig.ExecStart; a service has one main process");
  const count = starts.length + (service.script === "" ? 0 : 1);
  if (count > 1 && type !== "oneshot") problems.push(`serviceConfig.ExecStart has ${count} commands; only a service of Type = "oneshot" may have several`);
  const runs = count > 0 || commands(serviceConfig["ExecStop"]).length > 0 || service.preStop !== "" || service.unitConfig["SuccessAction"] !== undefined;
  if (!runs && !name.endsWith("@")) problems.push("has nothing to run; set script or serviceConfig.ExecStart, or enable = false to mask it");
  return problems;
}

/** The commands of a key such as ExecStart; an empty one takes back those before it. */
function commands(value: Service["serviceConfig"][string] | undefined): readonly string[] {
  const list = (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]).map((one: unknown) => String(one));
  return list.slice(list.lastIndexOf("") + 1);
}

const TIMES = ["OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec", "OnCalendar", "OnClockChange", "OnTimezoneChange"];

export function timerProblems(name: string, timer: Timer): readonly string[] {
  const problems = [...unitProblems(name, "timer", timer)];
  if (unitKindOf(`${name}.timer`, timer) === "file" && !TIMES.some((key) => timer.timerConfig[key] !== undefined && timer.timerConfig[key] !== null)) {
    problems.push(`timerConfig says no time; set ${TIMES.slice(0, 2).join(", ")} or OnCalendar`);
  }
  return problems;
}
