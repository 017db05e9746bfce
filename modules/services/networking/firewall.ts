import { defineModule, defineOptions, option, types, type Config } from "../../../core/index.ts";

const portRange = types.submodule({
  options: {
    from: option(types.port, { description: "The first port." }),
    to: option(types.port, { description: "The last port." }),
  },
});

const openPorts = {
  allowedTCPPorts: option(types.listOf(types.port), { default: [], description: "TCP ports that the network may reach.", example: [22, 80] }),
  allowedUDPPorts: option(types.listOf(types.port), { default: [], description: "UDP ports that the network may reach.", example: [53] }),
  allowedTCPPortRanges: option(types.listOf(portRange), { default: [], description: "Ranges of TCP ports that the network may reach.", example: [{ from: 8999, to: 9003 }] }),
  allowedUDPPortRanges: option(types.listOf(portRange), { default: [], description: "Ranges of UDP ports that the network may reach." }),
};

const options = defineOptions({
  networking: {
    firewall: {
      enable: option(types.bool, { default: true, description: "Whether what comes in from the network must be allowed." }),
      ...openPorts,
      interfaces: option(types.attrsOf(types.submodule({ options: openPorts })), { default: {}, description: "Ports that are open on one network interface only.", example: { eth1: { allowedTCPPorts: [9100] } } }),
      trustedInterfaces: option(types.listOf(types.str), { default: [], description: "Interfaces from which everything may come in.", example: ["wg0"] }),
      allowPing: option(types.bool, { default: true, description: "Whether the machine answers to ping." }),
      rejectPackets: option(types.bool, { default: false, description: "Whether a refused connection is told so, rather than left without an answer." }),
      logRefusedConnections: option(types.bool, { default: false, description: "Whether refused connections are logged." }),
      extraInputRules: option(types.lines, { default: "", description: "Further nftables rules of the input chain.", example: "ip6 saddr fd00::/8 tcp dport 24 accept" }),
    },
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "services/networking/firewall": typeof options;
  }
}

type Ports = Config["networking"]["firewall"]["interfaces"][string];

function portRules(match: string, ports: Ports): string[] {
  const set = (single: readonly number[], ranges: readonly { readonly from: number; readonly to: number }[]): string[] =>
    [...new Set([...single].sort((a, b) => a - b).map(String)), ...ranges.map(({ from, to }) => `${from}-${to}`)];
  const rules: string[] = [];
  const tcp = set(ports.allowedTCPPorts, ports.allowedTCPPortRanges);
  const udp = set(ports.allowedUDPPorts, ports.allowedUDPPortRanges);
  if (tcp.length > 0) rules.push(`${match}tcp dport { ${tcp.join(", ")} } accept`);
  if (udp.length > 0) rules.push(`${match}udp dport { ${udp.join(", ")} } accept`);
  return rules;
}

/** The table `inet tsos`: other tables of the machine are left alone. */
function ruleset(firewall: Config["networking"]["firewall"]): string {
  const trusted = ["lo", ...firewall.trustedInterfaces].map((name) => `"${name}"`).join(", ");
  const input = [
    `iifname { ${trusted} } accept comment "trusted interfaces"`,
    `ct state vmap { invalid : drop, established : accept, related : accept, new : jump input-allow, untracked : jump input-allow }`,
    ...(firewall.logRefusedConnections ? [`tcp flags & (fin | syn | rst | ack) == syn log level info prefix "refused connection: "`] : []),
    ...(firewall.rejectPackets ? ["meta l4proto tcp reject with tcp reset", "reject"] : []),
  ];
  const allow = [
    ...portRules("", firewall),
    ...Object.entries(firewall.interfaces).flatMap(([name, ports]) => portRules(`iifname "${name}" `, ports)),
    ...(firewall.allowPing ? [`icmp type echo-request accept comment "ping"`] : []),
    `icmpv6 type != { nd-redirect, 139 } accept comment "all of ICMPv6 but redirects and node information queries"`,
    `ip6 daddr fe80::/64 udp dport 546 accept comment "DHCPv6"`,
    ...firewall.extraInputRules.split("\n").filter((rule) => rule.trim() !== ""),
  ];
  const chain = (name: string, head: readonly string[], rules: readonly string[]): string =>
    `  chain ${name} {\n${[...head, ...rules].map((rule) => `    ${rule}\n`).join("")}  }\n`;
  return `table inet tsos
delete table inet tsos
table inet tsos {
${chain("input", ["type filter hook input priority filter; policy drop;"], input)}
${chain("input-allow", [], allow)}}
`;
}

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { firewall } = config.networking;
    if (!firewall.enable) return {};
    const rules = pkgs.writeText("nftables.conf", ruleset(firewall));
    return {
      system: { os: { packages: ["nftables"] }, firewallRuleset: `${rules}` },
      environment: { etc: { "nftables.conf": { source: rules } } },
      systemd: {
        services: {
          firewall: {
            description: "Packet filter (nftables)",
            wantedBy: ["sysinit.target"],
            before: ["network-pre.target", "shutdown.target"],
            wants: ["network-pre.target"],
            conflicts: ["shutdown.target"],
            unitConfig: { DefaultDependencies: false },
            reloadIfChanged: true,
            serviceConfig: {
              Type: "oneshot",
              RemainAfterExit: true,
              ExecStart: `/usr/sbin/nft -f ${rules}`,
              ExecReload: `/usr/sbin/nft -f ${rules}`,
              ExecStop: "/usr/sbin/nft delete table inet tsos",
            },
          },
        },
      },
    };
  },
});
