import { defineModule, defineOptions, option, types } from "../../../core/index.ts";
import { findStartAtTimer, mountUnit, serviceUnit, socketUnit, targetUnit, timerUnit, unitTree } from "./unit-files.ts";
import { commonUnitOptions, mountOptions, serviceOptions, socketOptions, timerOptions } from "./unit-options.ts";

const options = defineOptions({
  systemd: {
    services: option(types.attrsOf(types.submodule({ options: serviceOptions })), {
      default: {},
      description: "Services, by name without `.service`.",
      example: { hello: { script: "echo hello", wantedBy: ["multi-user.target"] } },
    }),
    timers: option(types.attrsOf(types.submodule({ options: timerOptions })), { default: {}, description: "Timers, by name without `.timer`." }),
    sockets: option(types.attrsOf(types.submodule({ options: socketOptions })), { default: {}, description: "Sockets, by name without `.socket`." }),
    targets: option(types.attrsOf(types.submodule({ options: commonUnitOptions })), { default: {}, description: "Targets, by name without `.target`." }),
    mounts: option(types.listOf(types.submodule({ options: mountOptions })), { default: [], description: "Mount units; each is named after its `where`." }),
    defaultUnit: option(types.singleLineStr, { default: "multi-user.target", description: "The unit that a boot brings up." }),
    tmpfiles: {
      rules: option(types.listOf(types.singleLineStr), { default: [], description: "Lines of tmpfiles.d(5): files and folders made, cleaned and removed.", example: ["d /var/cache/app 0750 app app 10d -"] }),
    },
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
    const { services, timers, sockets, targets, mounts, defaultUnit, tmpfiles } = config.systemd;
    const units = [
      ...Object.entries(services).flatMap(([name, service]) => [serviceUnit(name, service, pkgs), findStartAtTimer(name, service) ?? []].flat()),
      ...Object.entries(timers).map(([name, timer]) => timerUnit(name, timer)),
      ...Object.entries(sockets).map(([name, socket]) => socketUnit(name, socket)),
      ...Object.entries(targets).map(([name, target]) => targetUnit(name, target)),
      ...mounts.map(mountUnit),
    ];
    return {
      environment: {
        etc: {
          "systemd/system": { source: pkgs.writeTree("system-units", unitTree(units, defaultUnit)) },
          "tmpfiles.d/00-tsos.conf": { text: tmpfiles.rules.map((rule) => `${rule}\n`).join("") },
        },
      },
    };
  },
});
