import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  boot: {
    kernel: {
      sysctl: option(types.attrsOf(types.nullOr(types.oneOf([types.bool, types.int, types.singleLineStr]))), {
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
    const { sysctl } = config.boot.kernel;
    const lines = Object.entries(sysctl).flatMap(([name, value]) => (value === null ? [] : [`${name}=${sysctlText(value)}\n`]));
    return {
      environment: { etc: lines.length === 0 ? {} : { "sysctl.d/60-tsos.conf": { text: lines.join("") } } },
      assertions: Object.keys(sysctl).map((name) => ({
        // sysctl.d(5): an interface's name may hold what is no letter, and `*` matches several.
        assertion: /^[A-Za-z0-9_]+([./][A-Za-z0-9_:@*-]+)+$/.test(name),
        message: `boot.kernel.sysctl."${name}": "${name}" is no kernel parameter; write it with its dots, such as "net.ipv4.ip_forward"`,
      })),
    };
  },
});
