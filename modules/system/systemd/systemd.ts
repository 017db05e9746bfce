import { defineModule, defineOptions, option, TsosError, types } from "../../../core/index.ts";
import { serviceProblems, timerProblems, unitProblems } from "./unit-checks.ts";
import { mountUnit, pathUnit, serviceUnit, sliceUnit, socketUnit, targetUnit, timerUnit, unitTree, type UnitFile } from "./unit-files.ts";
import { commonUnitOptions, mountOptions, pathOptions, serviceOptions, sliceOptions, socketOptions, timerOptions } from "./unit-options.ts";

const options = defineOptions({
  systemd: {
    services: option(types.attrsOf(types.submodule({ options: serviceOptions })), {
      default: {},
      description: "Services, by name without `.service`. One that the OS root has is added to.",
      example: { hello: { script: "echo hello", wantedBy: ["multi-user.target"] } },
    }),
    timers: option(types.attrsOf(types.submodule({ options: timerOptions })), { default: {}, description: "Timers, by name without `.timer`." }),
    sockets: option(types.attrsOf(types.submodule({ options: socketOptions })), { default: {}, description: "Sockets, by name without `.socket`." }),
    paths: option(types.attrsOf(types.submodule({ options: pathOptions })), { default: {}, description: "Watched paths, by name without `.path`." }),
    slices: option(types.attrsOf(types.submodule({ options: sliceOptions })), { default: {}, description: "Slices, by name without `.slice`." }),
    targets: option(types.attrsOf(types.submodule({ options: commonUnitOptions })), { default: {}, description: "Targets, by name without `.target`." }),
    mounts: option(types.listOf(types.submodule({ options: mountOptions })), { default: [], description: "Mount units; each is named after its `where`." }),
    defaultUnit: option(types.strMatching(/[A-Za-z0-9:_.@-]+\.target/), { default: "multi-user.target", description: "The target that a boot brings up." }),
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "system/systemd": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { services, timers, sockets, paths, slices, targets, mounts, defaultUnit } = config.systemd;
    const problems: string[] = [];
    const units: UnitFile[] = [];
    // A unit that cannot be written is told of with the others' mistakes, under its option's name.
    const add = (place: string, found: readonly string[], make: () => UnitFile): void => {
      problems.push(...found.map((problem) => `${place}: ${problem}`));
      if (found.length > 0) return;
      try {
        units.push(make());
      } catch (error) {
        if (!(error instanceof TsosError)) throw error;
        problems.push(`${place}: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
      }
    };
    const placeOf = (kind: string, name: string): string => `systemd.${kind}.${/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) ? name : JSON.stringify(name)}`;
    for (const [name, service] of Object.entries(services)) add(placeOf("services", name), service.enable ? serviceProblems(name, service) : unitProblems(name, "service", service), () => serviceUnit(name, service, pkgs));
    for (const [name, timer] of Object.entries(timers)) add(placeOf("timers", name), timerProblems(name, timer), () => timerUnit(name, timer, pkgs));
    for (const [name, socket] of Object.entries(sockets)) add(placeOf("sockets", name), unitProblems(name, "socket", socket), () => socketUnit(name, socket, pkgs));
    for (const [name, path] of Object.entries(paths)) add(placeOf("paths", name), unitProblems(name, "path", path), () => pathUnit(name, path, pkgs));
    for (const [name, slice] of Object.entries(slices)) add(placeOf("slices", name), unitProblems(name, "slice", slice), () => sliceUnit(name, slice, pkgs));
    for (const [name, target] of Object.entries(targets)) add(placeOf("targets", name), unitProblems(name, "target", target), () => targetUnit(name, target, pkgs));
    for (const mount of mounts) {
      add(`systemd.mounts: "${mount.where}"`, mount.where.startsWith("/") ? [] : ["the mount point is not an absolute path"], () => mountUnit(mount, pkgs));
    }
    return {
      systemd: {
        timers: Object.fromEntries(
          Object.entries(services)
            .map(([name, service]) => [name, service.enable ? [service.startAt].flat() : []] as const)
            .filter(([, times]) => times.length > 0)
            .map(([name, times]) => [name, { wantedBy: ["timers.target"], timerConfig: { OnCalendar: times } }]),
        ),
      },
      environment: { etc: { "systemd/system": { source: pkgs.writeTree("system-units", unitTree(units, defaultUnit)) } } },
      assertions: problems.map((message) => ({ assertion: false, message })),
    };
  },
});
