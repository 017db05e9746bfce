import type { Config } from "../../../core/index.ts";

type Nginx = Config["services"]["nginx"];
type VirtualHost = Nginx["virtualHosts"][string];
type Location = VirtualHost["locations"][string];
type Listen = { readonly addr: string; readonly port: number | null; readonly ssl: boolean; readonly extraParameters: readonly string[] };

/** A block of nginx's configuration: its lines, one level deeper. */
function block(head: string, body: readonly string[]): string[] {
  return [`${head} {`, ...body.map((line) => (line === "" ? "" : `  ${line}`)), "}"];
}

function given(directive: string, value: string | null): string[] {
  return value === null ? [] : [`${directive} ${value};`];
}

/** A directive with one word, such as a path, whatever stands in it. */
function givenWord(directive: string, value: string | null): string[] {
  return value === null ? [] : [`${directive} ${quoteWord(value)};`];
}

/** A word as nginx reads it back; `$variables` stay what they are. */
function quoteWord(word: string): string {
  return /^[^\s;{}"'\\#]+$/.test(word) ? word : `"${word.replace(/[\\"]/g, "\\$&")}"`;
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/**
 * nginx.conf for what is declared, in the order of NixOS's: hosts by name, locations by priority, then name.
 *
 * @param mimeTypes a full path of nginx's mime.types
 */
export function nginxConfig(nginx: Nginx, mimeTypes: string, fastcgiParams: string): string {
  const hosts = Object.entries(nginx.virtualHosts).sort(([a], [b]) => (a < b ? -1 : 1));
  const http = [
    `include ${mimeTypes};`,
    `default_type application/octet-stream;`,
    ...lines(nginx.commonHttpConfig),
    ...(nginx.recommendedOptimisation ? ["sendfile on;", "tcp_nopush on;", "tcp_nodelay on;", "keepalive_timeout 65;"] : []),
    ...(nginx.recommendedGzipSettings
      ? ["gzip on;", "gzip_static on;", "gzip_vary on;", "gzip_comp_level 5;", "gzip_min_length 256;", "gzip_proxied expired no-cache no-store private auth;", "gzip_types application/javascript application/json application/xml image/svg+xml text/css text/plain text/xml;"]
      : []),
    ...(nginx.recommendedTlsSettings
      ? ["ssl_session_timeout 1d;", "ssl_session_cache shared:SSL:10m;", "ssl_session_tickets off;", "ssl_protocols TLSv1.2 TLSv1.3;", "ssl_prefer_server_ciphers off;"]
      : []),
    `client_max_body_size ${nginx.clientMaxBodySize};`,
    ...given("server_names_hash_bucket_size", nginx.serverNamesHashBucketSize === null ? null : String(nginx.serverNamesHashBucketSize)),
    `server_tokens ${nginx.serverTokens ? "on" : "off"};`,
    "map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
    ...(nginx.recommendedProxySettings
      ? ["proxy_redirect off;", ...["connect", "send", "read"].map((what) => `proxy_${what}_timeout ${nginx.proxyTimeout};`), "proxy_http_version 1.1;", ...proxyHeaders()]
      : []),
    ...Object.entries(nginx.upstreams)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, upstream]) =>
        block(`upstream ${name}`, [
          ...Object.entries(upstream.servers).map(([address, server]) => `server ${address}${server.backup ? " backup" : ""}${server.weight === null ? "" : ` weight=${server.weight}`};`),
          ...lines(upstream.extraConfig),
        ]),
      ),
    ...(nginx.statusPage ? block("server", ["listen 127.0.0.1:80;", "listen [::1]:80;", "server_name localhost;", ...block("location /nginx_status", ["stub_status on;", "access_log off;", "allow 127.0.0.1;", "allow ::1;", "deny all;"])]) : []),
    ...hosts.flatMap(([name, host]) => hostBlocks(name, host, nginx, fastcgiParams)),
    ...lines(nginx.appendHttpConfig),
  ];
  return [
    "# Made by tsos from services.nginx.",
    "pid /run/nginx/nginx.pid;",
    `error_log ${nginx.logError};`,
    ...lines(nginx.config),
    ...block("events", lines(nginx.eventsConfig)),
    ...block("http", http),
    ...lines(nginx.appendConfig),
    "",
  ].join("\n");
}

function proxyHeaders(): string[] {
  return [
    "proxy_set_header Host $host;",
    "proxy_set_header X-Real-IP $remote_addr;",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
    "proxy_set_header X-Forwarded-Host $host;",
    "proxy_set_header X-Forwarded-Server $hostname;",
  ];
}

/** Whether the host speaks TLS, by what it says itself; explicit `listen` entries may say so as well. */
export function speaksTls(host: VirtualHost): boolean {
  return host.onlySSL || host.addSSL || host.forceSSL;
}

/** Where a host listens. */
export function listensOf(host: VirtualHost, nginx: Nginx): readonly Listen[] {
  if (host.listen.length > 0) return host.listen;
  const addresses = host.listenAddresses.length > 0 ? host.listenAddresses : nginx.defaultListenAddresses;
  const ports = (ssl: boolean, port: number): Listen[] =>
    // A socket has no ports, so it speaks one of the two.
    addresses.filter((addr) => !addr.startsWith("unix:") || ssl === host.onlySSL).map((addr) => ({ addr, port: addr.startsWith("unix:") ? null : port, ssl, extraParameters: [] }));
  return [...(speaksTls(host) ? ports(true, nginx.defaultSSLListenPort) : []), ...(host.onlySSL ? [] : ports(false, nginx.defaultHTTPListenPort))];
}

function hostBlocks(name: string, host: VirtualHost, nginx: Nginx, fastcgiParams: string): string[] {
  const serverName = host.serverName ?? name;
  const listen = listensOf(host, nginx);
  const plain = listen.filter(({ ssl }) => !ssl);
  const served = host.forceSSL ? listen.filter(({ ssl }) => ssl) : listen;
  const tls = served.some(({ ssl }) => ssl);
  const format = ({ addr, port, ssl, extraParameters }: Listen): string =>
    `listen ${addr}${port === null || addr.startsWith("unix:") ? "" : `:${port}`}${ssl ? " ssl" : ""}${host.default ? " default_server" : ""}${extraParameters.map((parameter) => ` ${parameter}`).join("")};`;
  const names = `server_name ${[serverName, ...host.serverAliases].map(quoteWord).join(" ")};`;
  const redirect = host.forceSSL && plain.length > 0 ? block("server", [...plain.map(format), names, ...block("location /", [`return ${host.redirectCode} https://$host$request_uri;`])]) : [];
  const locations = Object.entries(host.locations).sort(([a, first], [b, second]) => first.priority - second.priority || (a < b ? -1 : 1));
  return [
    ...redirect,
    ...block("server", [
      ...served.map(format),
      names,
      ...(tls && host.http2 ? ["http2 on;"] : []),
      ...(tls ? [...givenWord("ssl_certificate", host.sslCertificate), ...givenWord("ssl_certificate_key", host.sslCertificateKey), ...givenWord("ssl_trusted_certificate", host.sslTrustedCertificate)] : []),
      ...givenWord("root", host.root),
      ...(host.basicAuthFile === null ? [] : ["auth_basic secured;", `auth_basic_user_file ${quoteWord(host.basicAuthFile)};`]),
      ...(host.globalRedirect === null ? [] : block("location /", [`return ${host.redirectCode} http${speaksTls(host) ? "s" : ""}://${host.globalRedirect}$request_uri;`])),
      ...locations.flatMap(([place, location]) => locationBlock(place, location, fastcgiParams, location.recommendedProxySettings ?? nginx.recommendedProxySettings)),
      ...lines(host.extraConfig),
    ]),
  ];
}

function locationBlock(place: string, location: Location, fastcgiParams: string, recommended: boolean): string[] {
  const fastcgi = Object.entries(location.fastcgiParams);
  return block(`location ${quoteLocation(place)}`, [
    ...given("proxy_pass", location.proxyPass),
    ...(location.proxyPass !== null && location.proxyWebsockets ? ["proxy_http_version 1.1;", "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;"] : []),
    // A location with headers of its own, here or in extraConfig, inherits none from above.
    ...(location.proxyPass !== null && recommended ? proxyHeaders() : []),
    ...given("index", location.index),
    ...given("try_files", location.tryFiles),
    ...givenWord("root", location.root),
    ...givenWord("alias", location.alias),
    ...given("return", location.return === null ? null : String(location.return)),
    ...(fastcgi.length === 0 ? [] : [`include ${fastcgiParams};`, ...fastcgi.map(([key, value]) => `fastcgi_param ${key} "${value.replace(/[\\"]/g, "\\$&")}";`)]),
    ...lines(location.extraConfig),
  ]);
}

/** `= /a`, `~ \.php$`: the modifier stays a word of its own, the rest is quoted where it must be. */
function quoteLocation(place: string): string {
  const [, modifier = "", rest = ""] = /^(?:(=|~\*|~|\^~)\s+)?([^]*)$/.exec(place) ?? [];
  // In quotes a backslash of an expression would have to be doubled, which nginx's own files do not do.
  const word = /[\s;{}"]/.test(rest) && !rest.startsWith('"') ? `"${rest.replace(/["\\]/g, "\\$&")}"` : rest;
  return modifier === "" ? word : `${modifier} ${word}`;
}
