import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../../evaluate-system.ts";

const CERTIFICATE = { sslCertificate: "/var/c.pem", sslCertificateKey: "/var/k.pem" };

function nginx(settings: object): string {
  const found = evaluateSystem({ services: { nginx: { enable: true, ...settings } } });
  return found.text(/^ExecStart=.* -c (\S+)$/m.exec(found.unit("nginx.service"))![1]!);
}

/** The server blocks, each as its lines. */
function servers(settings: object): readonly (readonly string[])[] {
  return [...nginx(settings).matchAll(/^ {2}server \{\n([^]*?)^ {2}\}/gm)].map((match) => match[1]!.trim().split("\n").map((line) => line.trim()));
}

test("serves a folder on the default addresses", () => {
  assert.deepEqual(servers({ virtualHosts: { "a.example": { root: "/srv/my site", serverAliases: ["www.a.example"], default: true } } }), [
    ["listen 0.0.0.0:80 default_server;", "listen [::0]:80 default_server;", "server_name a.example www.a.example;", 'root "/srv/my site";'],
  ]);
});

test("hands requests on, with WebSockets and the usual headers", () => {
  const text = servers({ recommendedProxySettings: true, upstreams: { app: { servers: { "127.0.0.1:3000": { weight: 2 } } } }, virtualHosts: { a: { locations: { "/": { proxyPass: "http://app", proxyWebsockets: true } } } } })[0]!.join("\n");
  assert.match(text, /location \/ \{\nproxy_pass http:\/\/app;\nproxy_http_version 1\.1;\nproxy_set_header Upgrade \$http_upgrade;/);
  assert.match(text, /proxy_set_header Host \$host;/);
});

test("orders locations by priority and quotes what needs it", () => {
  const heads = servers({ virtualHosts: { a: { locations: { "/b": {}, "/a": { priority: 2000 }, "= /first": { priority: 1 }, "~ ^/[a-z]{2}$": {}, "/with blank": {} } } } })[0]!.filter((line) => line.startsWith("location"));
  assert.deepEqual(heads, ["location = /first {", "location /b {", 'location "/with blank" {', 'location ~ "^/[a-z]{2}$" {', "location /a {"]);
});

test("sends plain requests to TLS with forceSSL", () => {
  const [redirect, served] = servers({ virtualHosts: { a: { forceSSL: true, root: "/srv", ...CERTIFICATE } } });
  assert.deepEqual(redirect, ["listen 0.0.0.0:80;", "listen [::0]:80;", "server_name a;", "location / {", "return 301 https://$host$request_uri;", "}"]);
  assert.deepEqual(served, ["listen 0.0.0.0:443 ssl;", "listen [::0]:443 ssl;", "server_name a;", "http2 on;", "ssl_certificate /var/c.pem;", "ssl_certificate_key /var/k.pem;", "root /srv;"]);
});

test("listens where a host says, and on the ports that are set", () => {
  assert.deepEqual(servers({ virtualHosts: { a: { listen: [{ addr: "127.0.0.1", port: 8080 }, { addr: "unix:/run/a.sock", extraParameters: ["backlog=5"] }] } } })[0]!.slice(0, 2), ["listen 127.0.0.1:8080;", "listen unix:/run/a.sock backlog=5;"]);
  assert.deepEqual(servers({ defaultHTTPListenPort: 8080, virtualHosts: { a: { listenAddresses: ["[::1]"] } } })[0]!.slice(0, 1), ["listen [::1]:8080;"]);
});

test("redirects a whole host", () => {
  assert.ok(servers({ virtualHosts: { a: { globalRedirect: "b.example", redirectCode: 308 } } })[0]!.includes("return 308 http://b.example$request_uri;"));
  assert.ok(servers({ virtualHosts: { a: { onlySSL: true, globalRedirect: "b.example", ...CERTIFICATE } } })[0]!.includes("return 301 https://b.example$request_uri;"));
});

test("reloads rather than restarts where that is asked for", () => {
  const { unit, etc } = evaluateSystem({ services: { nginx: { enable: true, enableReload: true } } });
  assert.match(unit("nginx.service"), /^X-Reload-Triggers=\/nix\/store\/\S+-nginx\.conf$/m);
  assert.match(unit("nginx.service"), /-c \/etc\/nginx\/nginx\.conf$/m);
  assert.match(etc("nginx/nginx.conf"), /^http \{$/m);
});

const rejected: Readonly<Record<string, readonly [object, RegExp]>> = {
  "TLS without a certificate": [{ virtualHosts: { a: { onlySSL: true } } }, /virtualHosts\."a" speaks TLS, so it needs "sslCertificate"/],
  "two ways of TLS at once": [{ virtualHosts: { a: { addSSL: true, forceSSL: true, ...CERTIFICATE } } }, /has addSSL and forceSSL; they exclude each other/],
  "forceSSL without a port for it": [{ virtualHosts: { a: { forceSSL: true, listen: [{ addr: "127.0.0.1", port: 80 }], ...CERTIFICATE } } }, /\.listen has no entry with ssl = true/],
  "proxyPass without a scheme": [{ virtualHosts: { a: { locations: { "/": { proxyPass: "127.0.0.1:3000" } } } } }, /locations\."\/"\.proxyPass: "127\.0\.0\.1:3000" is no URL/],
  "root beside alias": [{ virtualHosts: { a: { locations: { "/": { root: "/a", alias: "/b" } } } } }, /locations\."\/" has both "root" and "alias"/],
  "a redirect beside a location of its own": [{ virtualHosts: { a: { globalRedirect: "b", locations: { "/": {} } } } }, /has both globalRedirect and locations/],
  "an IPv6 address without brackets": [{ virtualHosts: { a: { listen: [{ addr: "::1", port: 80 }] } } }, /write the IPv6 address "::1" in brackets/],
  "an upstream without servers": [{ upstreams: { app: {} } }, /services\.nginx\.upstreams\."app"\.servers is empty/],
  "an account that is not declared": [{ user: "www" }, /services\.nginx\.user: there is no user "www"/],
};

for (const [what, [settings, message]] of Object.entries(rejected)) {
  test(`rejects ${what}`, () => {
    const problems = problemsOf({ services: { nginx: { enable: true, ...settings } } });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, message);
  });
}

test("rejects a second default of one address", () => {
  const problems = problemsOf({ services: { nginx: { enable: true, virtualHosts: { a: { default: true }, b: { default: true } } } } });
  assert.deepEqual(problems.map((problem) => problem.replace(/of .*/, "")), Array(2).fill('services.nginx.virtualHosts."b".default: "a" is the default '));
});
