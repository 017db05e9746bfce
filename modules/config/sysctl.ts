import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  boot: {
    kernel: {
      sysctl: option(types.attrsOf(types.nullOr(types.oneOf([types.bool, types.int, types.str]))), {
        default: {},
        description: "Kernel parameters, by their dotted names; null leaves one alone.",
        example: { "net.ipv4.tcp_syncookies": true, "vm.swappiness": 60 },
      }),
    },
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/sysctl": typeof options;
  }
}

/** As sysctl.d(5) has it: true is 1, false is 0. */
export function sysctlText(value: boolean | number | string): string {
  return value === true ? "1" : value === false ? "0" : String(value);
}

export default defineModule({
  options,
  config: ({ config }) => {
    const lines = Object.entries(config.boot.kernel.sysctl).flatMap(([name, value]) => (value === null ? [] : [`${name}=${sysctlText(value)}\n`]));
    return { environment: { etc: lines.length === 0 ? {} : { "sysctl.d/60-tsos.conf": { text: lines.join("") } } } };
  },
});
