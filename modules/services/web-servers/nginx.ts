import { defineModule, defineOptions, option, types } from "../../../core/index.ts";
import { nginxProblems } from "./nginx-checks.ts";
import { nginxConfig } from "./nginx-config.ts";

const location = types.submodule({
  options: {
    proxyPass: option(types.nullOr(types.singleLineStr), { default: null, description: "Hands requests on to this URL.", example: "http://127.0.0.1:3000" }),
    recommendedProxySettings: option(types.nullOr(types.bool), { default: null, description: "Whether requests of `proxyPass` carry the usual headers; null: as services.nginx.recommendedProxySettings says." }),
    proxyWebsockets: option(types.bool, { default: false, description: "Whether WebSockets go through `proxyPass` too." }),
    root: option(types.nullOr(types.path), { default: null, description: "The folder that requests are answered from." }),
    alias: option(types.nullOr(types.path), { default: null, description: "The folder that takes the location's place." }),
    index: option(types.nullOr(types.singleLineStr), { default: null, description: "Files that stand for a folder.", example: "index.html" }),
    tryFiles: option(types.nullOr(types.singleLineStr), { default: null, description: "Files tried one after the other.", example: "$uri =404" }),
    return: option(types.nullOr(types.either(types.singleLineStr, types.int)), { default: null, description: "A status, with a URL or text, that ends the request.", example: "301 https://example.org$request_uri" }),
    fastcgiParams: option(types.attrsOf(types.either(types.str, types.path)), { default: {}, description: "FastCGI parameters." }),
    priority: option(types.int, { default: 1000, description: "The place among the host's locations; a lower one comes first." }),
    extraConfig: option(types.lines, { default: "", description: "Further lines of the location's block." }),
  },
});

const virtualHost = types.submodule({
  options: {
    serverName: option(types.nullOr(types.singleLineStr), { default: null, description: "The host's name, where that is not the attribute's." }),
    listenAddresses: option(types.listOf(types.strMatching(/\S+/)), { default: [], description: "Addresses that the host listens on, with the default ports; none: the default ones.", example: ["127.0.0.1", "[::1]"] }),
    serverAliases: option(types.listOf(types.strMatching(/[^\s;{}]+/)), { default: [], description: "Further names.", example: ["www.example.org"] }),
    listen: option(
      types.listOf(
        types.submodule({
          options: {
            addr: option(types.strMatching(/[^\s;{}]+/), { description: "An address (IPv6 in brackets), or unix:PATH." }),
            port: option(types.nullOr(types.port), { default: null, description: "The port; null with a socket." }),
            ssl: option(types.bool, { default: false, description: "Whether it speaks TLS." }),
            extraParameters: option(types.listOf(types.strMatching(/[^\s;{}]+/)), { default: [], description: "Further words of `listen`." }),
          },
        }),
      ),
      { default: [], description: "Where the host listens; none: the default addresses and ports.", example: [{ addr: "0.0.0.0", port: 8080 }] },
    ),
    root: option(types.nullOr(types.path), { default: null, description: "The folder that requests are answered from.", example: "/var/www" }),
    default: option(types.bool, { default: false, description: "Whether it answers for names that no host has." }),
    locations: option(types.attrsOf(location), { default: {}, description: "What happens below a path.", example: { "/api/": { proxyPass: "http://127.0.0.1:3000" } } }),
    redirectCode: option(types.ints.between(300, 399), { default: 301, description: "The status of `globalRedirect` and `forceSSL`." }),
    globalRedirect: option(types.nullOr(types.strMatching(/[^\s;{}]+/)), { default: null, description: "Sends every request to this host." }),
    addSSL: option(types.bool, { default: false, description: "Whether the host speaks TLS beside plain HTTP." }),
    onlySSL: option(types.bool, { default: false, description: "Whether the host speaks TLS only." }),
    forceSSL: option(types.bool, { default: false, description: "Whether plain requests are sent to TLS." }),
    http2: option(types.bool, { default: true, description: "Whether TLS speaks HTTP/2." }),
    sslCertificate: option(types.nullOr(types.path), { default: null, description: "The certificate's file on the machine." }),
    sslCertificateKey: option(types.nullOr(types.path), { default: null, description: "The private key's file on the machine." }),
    sslTrustedCertificate: option(types.nullOr(types.path), { default: null, description: "The file of authorities for OCSP stapling." }),
    basicAuthFile: option(types.nullOr(types.path), { default: null, description: "A file on the machine with users and hashed passwords, as of htpasswd." }),
    extraConfig: option(types.lines, { default: "", description: "Further lines of the server's block." }),
  },
});

const options = defineOptions({
  services: {
    nginx: {
      enable: option(types.bool, { default: false, description: "Whether nginx serves." }),
      package: option(types.package, { default: ({ pkgs }) => pkgs.nginx, defaultText: "pkgs.nginx", description: "The nginx to run." }),
      virtualHosts: option(types.attrsOf(virtualHost), { default: {}, description: "Hosts, by name.", example: { "example.org": { root: "/var/www" } } }),
      upstreams: option(
        types.attrsOf(
          types.submodule({
            options: {
              servers: option(
                types.attrsOf(
                  types.submodule({
                    options: {
                      backup: option(types.bool, { default: false, description: "Whether it is used only when the others fail." }),
                      weight: option(types.nullOr(types.ints.positive), { default: null, description: "Its share of the requests." }),
                    },
                  }),
                ),
                { default: {}, description: "Servers, by address.", example: { "127.0.0.1:3000": {} } },
              ),
              extraConfig: option(types.lines, { default: "", description: "Further lines of the upstream's block." }),
            },
          }),
        ),
        { default: {}, description: "Groups of servers that `proxyPass` can name." },
      ),
      user: option(types.str, { default: "nginx", description: "The account that nginx runs as." }),
      group: option(types.str, { default: "nginx", description: "The group that nginx runs as." }),
      defaultListenAddresses: option(types.nonEmptyListOf(types.strMatching(/[^\s;{}]+/)), { default: ["0.0.0.0", "[::0]"], description: "Where hosts listen that say nothing of it." }),
      defaultHTTPListenPort: option(types.port, { default: 80, description: "The port of plain HTTP." }),
      defaultSSLListenPort: option(types.port, { default: 443, description: "The port of TLS." }),
      clientMaxBodySize: option(types.strMatching(/[0-9]+[kKmMgG]?/), { default: "10m", description: "The largest request body." }),
      serverTokens: option(types.bool, { default: false, description: "Whether answers tell nginx's version." }),
      recommendedOptimisation: option(types.bool, { default: false, description: "Whether the usual settings for speed are made." }),
      recommendedGzipSettings: option(types.bool, { default: false, description: "Whether text is sent compressed." }),
      recommendedTlsSettings: option(types.bool, { default: false, description: "Whether only current TLS is spoken." }),
      recommendedProxySettings: option(types.bool, { default: false, description: "Whether proxied requests carry the usual headers." }),
      serverNamesHashBucketSize: option(types.nullOr(types.ints.positive), { default: null, description: "The bucket size of the table of names, for long ones." }),
      proxyTimeout: option(types.strMatching(/[0-9]+(ms|s|m|h)?/), { default: "60s", description: "How long a proxied server may take, with recommendedProxySettings.", example: "20s" }),
      statusPage: option(types.bool, { default: false, description: "Whether /nginx_status answers on loopback." }),
      logError: option(types.strMatching(/[^;{}\n]+/), { default: "stderr", description: "Where errors are logged, and from which level.", example: "stderr debug" }),
      config: option(types.lines, { default: "", description: "Further lines of the main block, before the others." }),
      eventsConfig: option(types.lines, { default: "", description: "Lines of the events block." }),
      commonHttpConfig: option(types.lines, { default: "", description: "Lines at the beginning of the http block." }),
      appendHttpConfig: option(types.lines, { default: "", description: "Lines at the end of the http block." }),
      appendConfig: option(types.lines, { default: "", description: "Lines at the end of the file." }),
      enableReload: option(types.bool, { default: false, description: "Whether a changed configuration is reloaded, rather than nginx restarted." }),
    },
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "services/web-servers/nginx": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { nginx } = config.services;
    if (!nginx.enable) return {};
    const text = nginxConfig(nginx, `${nginx.package}/conf/mime.types`, `${nginx.package}/conf/fastcgi_params`);
    const file = pkgs.writeText("nginx.conf", text);
    const path = nginx.enableReload ? "/etc/nginx/nginx.conf" : `${file}`;
    const command = `${nginx.package}/bin/nginx -c ${path}`;
    return {
      environment: { etc: nginx.enableReload ? { "nginx/nginx.conf": { source: file } } : {} },
      users: {
        users: nginx.user === "nginx" ? { nginx: { isSystemUser: true, group: nginx.group, description: "nginx" } } : {},
        groups: nginx.group === "nginx" ? { nginx: {} } : {},
      },
      systemd: {
        services: {
          nginx: {
            description: "nginx web server",
            wantedBy: ["multi-user.target"],
            after: ["network.target"],
            stopIfChanged: false,
            preStart: `${command} -t -q`,
            ...(nginx.enableReload ? { reloadTriggers: [file] } : {}),
            serviceConfig: {
              // Forking: the service has started when nginx listens, not before.
              Type: "forking",
              PIDFile: "/run/nginx/nginx.pid",
              ExecStart: command,
              ExecReload: [`${command} -t`, "/usr/bin/kill -HUP $MAINPID"],
              Restart: "always",
              RestartSec: "10s",
              User: nginx.user,
              Group: nginx.group,
              RuntimeDirectory: "nginx",
              RuntimeDirectoryMode: "0750",
              CacheDirectory: "nginx",
              CacheDirectoryMode: "0750",
              LogsDirectory: "nginx",
              LogsDirectoryMode: "0750",
              UMask: "0027",
              AmbientCapabilities: ["CAP_NET_BIND_SERVICE"],
              CapabilityBoundingSet: ["CAP_NET_BIND_SERVICE"],
              NoNewPrivileges: true,
              ProtectSystem: "strict",
              ProtectHome: true,
              PrivateTmp: true,
              RestrictSUIDSGID: true,
              LockPersonality: true,
            },
          },
        },
      },
      assertions: nginxProblems(nginx, config.users).map((message) => ({ assertion: false, message })),
    };
  },
});
