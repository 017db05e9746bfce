import { definePackage } from "../../../../core/index.ts";
import { sourceVersion } from "../../../build-support/source-version.ts";

const MODULES = [
  "http_ssl", "http_v2", "http_realip", "http_gzip_static", "http_gunzip", "http_stub_status", "http_auth_request", "http_sub", "http_addition",
  "http_secure_link",
];

export default definePackage({
  pname: "nginx",
  version: sourceVersion("nginx"),
  description: "web server, reverse proxy and load balancer",
  homepage: "https://nginx.org/",
  license: "BSD-2-Clause",
  mainProgram: "nginx",
  build: ({ pname, version, mkDerivation, fetchSource, pcre2, zlib, opensslLibraries }) =>
    mkDerivation({
      pname,
      version,
      src: fetchSource(pname),
      buildInputs: [pcre2, zlib, opensslLibraries],
      configureFlags: [
        ...MODULES.map((name) => `--with-${name}_module`),
        "--with-stream", "--with-stream_ssl_module", "--with-threads", "--with-pcre-jit",
        // Where a machine keeps what changes; a configuration may say otherwise.
        "--http-log-path=/var/log/nginx/access.log", "--error-log-path=/var/log/nginx/error.log",
        "--pid-path=/run/nginx/nginx.pid", "--lock-path=/run/nginx/nginx.lock",
        ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `--http-${name.replace("_", "-")}-temp-path=/var/cache/nginx/${name}`),
      ],
      preConfigure: `configureFlags+=("--sbin-path=$prefix/bin/nginx" "--conf-path=$prefix/conf/nginx.conf")`,
      installPhase: `
        mkdir -p "$prefix/bin"
        cp objs/nginx "$prefix/bin"
        cp -r conf html "$prefix/"
      `,
    }),
  test: ({ self, runCommand }) =>
    runCommand("nginx-test", {}, `
      echo 'pid nginx.pid; error_log stderr; events {}
      http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        server { listen unix:socket; gzip on; location ~ ^/[a-z]+$ { return 204; } }
      }' > nginx.conf
      ${self}/bin/nginx -t -p "$PWD" -c "$PWD/nginx.conf" -e stderr
      ${self}/bin/nginx -V 2> $out
    `),
  update: { kind: "debian-source", package: "nginx" },
});
