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
      allowPing: option(types.bool, { default: true, description: "Whether the machine answers to ping over IPv4; IPv6 needs it." }),
      pingLimit: option(types.nullOr(types.singleLineStr), { default: null, description: "How many pings are answered, as nftables writes a limit.", example: "2/second burst 5 packets" }),
      rejectPackets: option(types.bool, { default: false, description: "Whether a refused connection is told so, rather than left without an answer." }),
      logRefusedConnections: option(types.bool, { default: true, description: "Whether refused connections are logged." }),
      logRefusedPackets: option(types.bool, { default: false, description: "Whether all refused packets are logged." }),
      logRefusedUnicastsOnly: option(types.bool, { default: true, description: "Whether `logRefusedPackets` is about packets to this machine alone, not to all on its network." }),
      checkReversePath: option(types.either(types.bool, types.enum(["strict", "loose"])), {
        default: false,
        description: "Whether packets are dropped whose answer would not leave (strict: by the same interface). The kernel needs fib expressions of nftables.",
      }),
      extraInputRules: option(types.lines, { default: "", description: "Further nftables rules of the chain of allowed input.", example: "ip6 saddr fd00::/8 tcp dport 24 accept" }),
      filterForward: option(types.bool, { default: false, description: "Whether what the machine forwards must be allowed, too." }),
      extraForwardRules: option(types.lines, { default: "", description: "Further nftables rules of the chain of allowed forwarding, with `filterForward`.", example: "iifname wg0 accept" }),
    },
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "services/networking/firewall": typeof options;
  }
}

type Firewall = Config["networking"]["firewall"];
type Ports = Firewall["interfaces"][string];
type Range = { readonly from: number; readonly to: number };

/** Ports and ranges as elements of a set, which nftables wants without overlaps. */
function portSet(single: readonly number[], ranges: readonly Range[]): string {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...single.map((port) => ({ from: port, to: port })), ...ranges].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}

function portRules(match: string, ports: Ports): string[] {
  const tcp = portSet(ports.allowedTCPPorts, ports.allowedTCPPortRanges);
  const udp = portSet(ports.allowedUDPPorts, ports.allowedUDPPortRanges);
  return [...(tcp === "" ? [] : [`${match}tcp dport { ${tcp} } accept`]), ...(udp === "" ? [] : [`${match}udp dport { ${udp} } accept`])];
}

const ruleLines = (text: string): string[] => text.split("\n").filter((rule) => rule.trim() !== "");

/** The table `inet tsos`: other tables of the machine are left alone. */
function ruleset(firewall: Firewall): string {
  const trusted = ["lo", ...firewall.trustedInterfaces].map((name) => `"${name}"`).join(", ");
  const { checkReversePath: reversePath } = firewall;
  const input = [
    `iifname { ${trusted} } accept comment "trusted interfaces"`,
    `ct state vmap { invalid : drop, established : accept, related : accept, new : jump input-allow, untracked : jump input-allow }`,
    ...(firewall.logRefusedConnections ? [`tcp flags & (fin | syn | rst | ack) == syn log level info prefix "refused connection: "`] : []),
    ...(firewall.logRefusedPackets ? [`${firewall.logRefusedUnicastsOnly ? "pkttype host " : ""}log level info prefix "refused packet: "`] : []),
    ...(firewall.rejectPackets ? ["meta l4proto tcp reject with tcp reset", "reject"] : []),
  ];
  const allow = [
    ...portRules("", firewall),
    ...Object.entries(firewall.interfaces).flatMap(([name, ports]) => portRules(`iifname "${name}" `, ports)),
    ...(firewall.allowPing ? [`icmp type echo-request ${firewall.pingLimit === null ? "" : `limit rate ${firewall.pingLimit} `}accept comment "ping"`] : []),
    `icmpv6 type != { nd-redirect, 139 } accept comment "all of ICMPv6 but redirects and node information queries"`,
    `ip6 daddr fe80::/64 udp dport 546 accept comment "DHCPv6"`,
    ...ruleLines(firewall.extraInputRules),
  ];
  const chain = (name: string, head: readonly string[], rules: readonly string[]): string =>
    `  chain ${name} {\n${[...head, ...rules].map((rule) => `    ${rule}\n`).join("")}  }\n`;
  const chains = [
    ...(reversePath === false
      ? []
      : [
          chain("rpfilter", ["type filter hook prerouting priority mangle + 10; policy drop;"], [
            `meta nfproto ipv4 udp sport . udp dport { 67 . 68, 68 . 67 } accept comment "DHCPv4"`,
            `fib saddr . mark ${reversePath === "loose" ? "" : ". iif "}oif exists accept`,
          ]),
        ]),
    chain("input", ["type filter hook input priority filter; policy drop;"], input),
    chain("input-allow", [], allow),
    ...(firewall.filterForward
      ? [
          chain("forward", ["type filter hook forward priority filter; policy drop;"], [
            `ct state vmap { invalid : drop, established : accept, related : accept, new : jump forward-allow, untracked : jump forward-allow }`,
          ]),
          chain("forward-allow", [], [
            `icmpv6 type != { router-renumbering, 139 } accept comment "all of ICMPv6 but renumbering and node information queries"`,
            `ct status dnat accept comment "forwarded ports"`,
            ...ruleLines(firewall.extraForwardRules),
          ]),
        ]
      : []),
  ];
  // The first line makes the table where it is not there, so that the second never fails.
  return `table inet tsos
delete table inet tsos
table inet tsos {
${chains.join("")}}
`;
}

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { firewall } = config.networking;
    if (!firewall.enable) return {};
    const rules = pkgs.writeText("nftables.conf", ruleset(firewall));
    const interfaces = [
      ...Object.keys(firewall.interfaces).map((name) => ["interfaces", name] as const),
      ...firewall.trustedInterfaces.map((name) => ["trustedInterfaces", name] as const),
    ];
    const ranges = [["networking.firewall", firewall] as const, ...Object.entries(firewall.interfaces).map(([name, ports]) => [`networking.firewall.interfaces.${name}`, ports] as const)].flatMap(
      ([place, ports]) => [...ports.allowedTCPPortRanges.map((range) => [`${place}.allowedTCPPortRanges`, range] as const), ...ports.allowedUDPPortRanges.map((range) => [`${place}.allowedUDPPortRanges`, range] as const)],
    );
    return {
      system: { os: { packages: ["nftables"] }, firewallRuleset: `${rules}` },
      environment: { etc: { "nftables.conf": { source: rules } } },
      systemd: {
        services: {
          firewall: {
            description: "Packet filter (nftables)",
            wantedBy: ["sysinit.target"],
            after: ["local-fs.target"],
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
      assertions: [
        ...interfaces.map(([option, name]) => ({
          assertion: /^[^\s"'/\\{}]{1,15}$/.test(name),
          message: `networking.firewall.${option}: "${name}" cannot be the name of a network interface: at most 15 characters, no space, quote or slash`,
        })),
        ...ranges.map(([place, { from, to }]) => ({ assertion: from <= to, message: `${place}: the range from ${from} to ${to} ends before it begins` })),
      ],
    };
  },
});
