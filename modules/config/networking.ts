import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const word = types.strMatching(/[^\s#]+/);

const options = defineOptions({
  networking: {
    hostName: option(types.strMatching(/|[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?/, "host name of one label: at most 63 letters, digits, \"-\" and \"_\", the first and the last a letter or a digit"), {
      default: "tsos",
      description: "The machine's name, without a domain; the empty string leaves it to the network.",
    }),
    domain: option(types.nullOr(types.strMatching(/[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?/)), { default: null, description: "The machine's domain.", example: "example.org" }),
    hosts: option(types.attrsOf(types.listOf(word)), { default: {}, description: "Names in /etc/hosts, by address.", example: { "192.0.2.2": ["db.example.org", "db"] } }),
    extraHosts: option(types.lines, { default: "", description: "Further lines of /etc/hosts." }),
    nameservers: option(types.listOf(types.strMatching(/[0-9A-Fa-f.:]+(%[A-Za-z0-9_.-]+)?/)), {
      default: [],
      description: "Addresses of name servers, written to /etc/resolv.conf; none leaves that file alone.",
      example: ["192.0.2.53"],
    }),
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
      // As NixOS and Debian have it: a machine's own name is there without a network.
      ...(ownNames.length === 0 ? [] : [`127.0.0.2 ${ownNames.join(" ")}`]),
      ...Object.entries(hosts).filter(([, names]) => names.length > 0).map(([address, names]) => `${address} ${names.join(" ")}`),
    ];
    return {
      environment: {
        etc: {
          hosts: { text: `${lines.join("\n")}\n${extraHosts === "" || extraHosts.endsWith("\n") ? extraHosts : `${extraHosts}\n`}` },
          ...(nameservers.length === 0 ? {} : { "resolv.conf": { text: nameservers.map((server) => `nameserver ${server}\n`).join("") } }),
        },
      },
      assertions: Object.keys(hosts).map((address) => ({
        assertion: /^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?)$/.test(address),
        message: `networking.hosts.${JSON.stringify(address)}: "${address}" is no address; it is networking.hosts."192.0.2.2" = ["name"]`,
      })),
    };
  },
});
