import type { Config } from "../../../core/index.ts";
import { listensOf, speaksTls } from "./nginx-config.ts";

type Nginx = Config["services"]["nginx"];
type VirtualHost = Nginx["virtualHosts"][string];
type Location = VirtualHost["locations"][string];

/** What nginx would refuse, or take for something else, found before anything is built. */
export function nginxProblems(nginx: Nginx, users: Config["users"]): readonly string[] {
  const hosts = Object.entries(nginx.virtualHosts);
  return [
    ...hosts.flatMap(([name, host]) => {
      const place = `services.nginx.virtualHosts.${JSON.stringify(name)}`;
      return [...hostProblems(host, nginx, name), ...Object.entries(host.locations).flatMap(([path, location]) => locationProblems(location, path, nginx))].map((problem) => `${place}${problem}`);
    }),
    ...doubleDefaults(nginx),
    ...Object.entries(nginx.upstreams).flatMap(([name, upstream]) => [
      ...(/^[A-Za-z0-9_.:-]+$/.test(name) ? [] : [`services.nginx.upstreams.${JSON.stringify(name)}: this cannot be the name of an upstream`]),
      ...(Object.keys(upstream.servers).length === 0 && upstream.extraConfig === "" ? [`services.nginx.upstreams.${JSON.stringify(name)}.servers is empty; nginx wants at least one: servers."127.0.0.1:3000" = {}`] : []),
      ...(Object.keys(upstream.servers).every((server) => /^[^\s;{}]+$/.test(server)) ? [] : [`services.nginx.upstreams.${JSON.stringify(name)}.servers: a server is an address such as "127.0.0.1:3000", or unix:PATH`]),
    ]),
    ...(Object.values(users.users).some((user) => user.name === nginx.user) || nginx.user === "nginx" ? [] : [`services.nginx.user: there is no user "${nginx.user}" in users.users`]),
    ...(Object.values(users.groups).some((group) => group.name === nginx.group) || nginx.group === "nginx" ? [] : [`services.nginx.group: there is no group "${nginx.group}" in users.groups`]),
  ];
}

function hostProblems(host: VirtualHost, nginx: Nginx, name: string): readonly string[] {
  const problems: string[] = [];
  const chosen = (["addSSL", "onlySSL", "forceSSL"] as const).filter((key) => host[key]);
  const listens = listensOf(host, nginx);
  const tls = listens.some(({ ssl }) => ssl);
  if (chosen.length > 1) problems.push(` has ${chosen.join(" and ")}; they exclude each other`);
  if ((speaksTls(host) || tls) && (host.sslCertificate === null || host.sslCertificateKey === null)) problems.push(` speaks TLS, so it needs "sslCertificate" and "sslCertificateKey"`);
  if (speaksTls(host) && !tls) problems.push(`.listen has no entry with ssl = true, although ${chosen.join(", ")} is set`);
  if (host.onlySSL && listens.some(({ ssl }) => !ssl)) problems.push(".listen has an entry without ssl, although onlySSL is set");
  if (host.globalRedirect !== null && Object.hasOwn(host.locations, "/")) problems.push(` has both globalRedirect and locations."/"`);
  if (!/^[^\s;{}]+$/.test(host.serverName ?? name) && host.serverName === null) problems.push(": this cannot be a host's name; set serverName");
  for (const { addr } of [...listens]) {
    if (!addr.startsWith("unix:") && !addr.startsWith("[") && addr.split(":").length > 2) problems.push(`.listen: write the IPv6 address "${addr}" in brackets: "[${addr}]"`);
  }
  return problems;
}

function locationProblems(location: Location, path: string, nginx: Nginx): readonly string[] {
  const place = `.locations.${JSON.stringify(path)}`;
  const problems: string[] = [];
  if (path === "" || /\n/.test(path)) problems.push(": this cannot be a location, such as \"/\", \"= /exact\" or \"~ \\\\.php$\"");
  if (location.root !== null && location.alias !== null) problems.push(' has both "root" and "alias"');
  if (location.proxyPass !== null && !/^(https?:\/\/|\$)[^\s;{}]+$/.test(location.proxyPass)) {
    const upstream = Object.hasOwn(nginx.upstreams, location.proxyPass) ? ", also before the name of an upstream" : "";
    problems.push(`.proxyPass: "${location.proxyPass}" is no URL; it begins with http:// or https://${upstream}, such as "http://127.0.0.1:3000"`);
  }
  if (location.proxyWebsockets && location.proxyPass === null) problems.push(".proxyWebsockets is set, but not proxyPass");
  if (typeof location.return === "number" && (location.return < 100 || location.return > 999)) problems.push(`.return: ${location.return} is no status`);
  for (const key of Object.keys(location.fastcgiParams)) {
    if (!/^[A-Za-z0-9_]+$/.test(key)) problems.push(`.fastcgiParams: "${key}" cannot be the name of a parameter`);
  }
  return problems.map((problem) => `${place}${problem}`);
}

/** Of the hosts on one address, one alone may be the default. */
function doubleDefaults(nginx: Nginx): readonly string[] {
  const holders = new Map<string, string>();
  const problems = new Set<string>();
  for (const [name, host] of Object.entries(nginx.virtualHosts)) {
    if (!host.default) continue;
    for (const { addr, port, ssl } of listensOf(host, nginx)) {
      const address = addr.startsWith("unix:") ? addr : `${addr}:${port ?? (ssl ? 443 : 80)}`;
      const other = holders.get(address);
      if (other !== undefined && other !== name) problems.add(`services.nginx.virtualHosts.${JSON.stringify(name)}.default: "${other}" is the default of ${address} already`);
      holders.set(address, name);
    }
  }
  return [...problems];
}
