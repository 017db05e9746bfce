import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  networking: {
    hostName: option(types.strMatching(/^$|^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/), {
      default: "tsos",
      description: "The machine's name, without a domain; the empty string leaves it to the network.",
    }),
    domain: option(types.nullOr(types.str), { default: null, description: "The machine's domain.", example: "example.org" }),
    hosts: option(types.attrsOf(types.listOf(types.str)), { default: {}, description: "Names in /etc/hosts, by address.", example: { "192.0.2.2": ["db.example.org", "db"] } }),
    extraHosts: option(types.lines, { default: "", description: "Further lines of /etc/hosts." }),
    nameservers: option(types.listOf(types.str), { default: [], description: "Name servers, written to /etc/resolv.conf; none leaves that file alone." }),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/networking": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config }) => {
    const { hostName, domain, hosts, extraHosts, nameservers } = config.networking;
    const ownNames = hostName === "" ? [] : [...(domain === null ? [] : [`${hostName}.${domain}`]), hostName];
    const lines = [
      "127.0.0.1 localhost",
      "::1 localhost",
      ...(ownNames.length === 0 ? [] : [`127.0.0.2 ${ownNames.join(" ")}`]),
      ...Object.entries(hosts).map(([address, names]) => `${address} ${names.join(" ")}`),
    ];
    return {
      environment: {
        etc: {
          hosts: { text: `${lines.join("\n")}\n${extraHosts}` },
          ...(nameservers.length === 0 ? {} : { "resolv.conf": { text: nameservers.map((server) => `nameserver ${server}\n`).join("") } }),
        },
      },
    };
  },
});
