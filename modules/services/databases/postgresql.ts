import { defineModule, defineOptions, option, types } from "../../../core/index.ts";

const setting = types.nullOr(types.oneOf([types.bool, types.float, types.int, types.str]));

const options = defineOptions({
  services: {
    postgresql: {
      enable: option(types.bool, { default: false, description: "Whether PostgreSQL runs." }),
      package: option(types.package, { default: ({ pkgs }) => pkgs.postgresql, defaultText: "pkgs.postgresql", description: "The PostgreSQL to run." }),
      dataDir: option(types.nullOr(types.str), { default: null, description: "The cluster's folder; null: /var/lib/postgresql/VERSION. A new major version needs a new one.", example: "/var/lib/postgresql/17" }),
      enableTCPIP: option(types.bool, { default: false, description: "Whether it listens on the network, not only on its socket and loopback." }),
      authentication: option(types.lines, {
        default: "",
        description: "Lines of pg_hba.conf, before the default ones: the socket for everybody as themselves (peer), loopback with a password.",
        example: "host app app 192.0.2.0/24 scram-sha-256",
      }),
      identMap: option(types.lines, { default: "", description: "Lines of pg_ident.conf." }),
      settings: option(types.attrsOf(setting), { default: {}, description: "Settings of postgresql.conf.", example: { shared_buffers: "256MB", log_connections: true } }),
      initdbArgs: option(types.listOf(types.str), { default: [], description: "Arguments of initdb, when the cluster is made.", example: ["--data-checksums"] }),
      initialScript: option(types.nullOr(types.path), { default: null, description: "SQL that runs once, when the cluster is made." }),
      ensureDatabases: option(types.listOf(types.strMatching(/^[^"\0]+$/)), { default: [], description: "Databases that are made where they are missing; none is ever dropped.", example: ["app"] }),
      ensureUsers: option(
        types.listOf(
          types.submodule({
            options: {
              name: option(types.strMatching(/^[^"\0]+$/), { description: "The role's name." }),
              ensureDBOwnership: option(types.bool, { default: false, description: "Whether it owns the database of its own name." }),
              ensureClauses: {
                superuser: option(types.nullOr(types.bool), { default: null, description: "Whether it may do everything." }),
                createrole: option(types.nullOr(types.bool), { default: null, description: "Whether it may make roles." }),
                createdb: option(types.nullOr(types.bool), { default: null, description: "Whether it may make databases." }),
                login: option(types.nullOr(types.bool), { default: null, description: "Whether it may log in." }),
                replication: option(types.nullOr(types.bool), { default: null, description: "Whether it may replicate." }),
              },
            },
          }),
        ),
        { default: [], description: "Roles that are made where they are missing; none is ever dropped.", example: [{ name: "app", ensureDBOwnership: true }] },
      ),
    },
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "services/databases/postgresql": typeof options;
  }
}

/** A string of postgresql.conf. */
function literal(value: boolean | number | string): string {
  if (value === true) return "on";
  if (value === false) return "off";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

const identifier = (name: string): string => `"${name}"`;
const sqlString = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export default defineModule({
  options,
  config: ({ config, lib, pkgs }) => {
    const { postgresql } = config.services;
    if (!postgresql.enable) return {};
    const version = postgresql.package.version.split(".")[0]!;
    const dataDir = postgresql.dataDir ?? `/var/lib/postgresql/${version}`;
    const bin = `${postgresql.package}/bin`;
    const conf = pkgs.writeText(
      "postgresql.conf",
      Object.entries(postgresql.settings)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, value]) => (value === null ? [] : [`${name} = ${literal(value)}\n`]))
        .join(""),
    );
    const hba = pkgs.writeText(
      "pg_hba.conf",
      `# Made by tsos from services.postgresql.authentication.
${postgresql.authentication}
local all postgres         peer map=postgres
local all all              peer
host  all all 127.0.0.1/32 scram-sha-256
host  all all ::1/128      scram-sha-256
`,
    );
    const ident = pkgs.writeText("pg_ident.conf", `postgres postgres postgres\npostgres root postgres\n${postgresql.identMap}`);
    const clauses = postgresql.ensureUsers.flatMap((user) => {
      const words = Object.entries(user.ensureClauses).flatMap(([name, value]) => (value === null ? [] : [value ? name.toUpperCase() : `NO${name.toUpperCase()}`]));
      return words.length === 0 ? [] : [`ALTER ROLE ${identifier(user.name)} ${words.join(" ")};`];
    });
    // psql's \gexec runs what the query makes; the query makes nothing where the name is there already.
    const setup = pkgs.writeText(
      "postgresql-setup.sql",
      [
        ...postgresql.ensureDatabases.map((name) => `SELECT ${sqlString(`CREATE DATABASE ${identifier(name)}`)} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${sqlString(name)}) \\gexec`),
        ...postgresql.ensureUsers.map(({ name }) => `SELECT ${sqlString(`CREATE USER ${identifier(name)}`)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${sqlString(name)}) \\gexec`),
        ...clauses,
        ...postgresql.ensureUsers.filter((user) => user.ensureDBOwnership).map(({ name }) => `ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(name)};`),
        "",
      ].join("\n"),
    );
    const hasSetup = postgresql.ensureDatabases.length > 0 || postgresql.ensureUsers.length > 0;
    const psql = `${bin}/psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host /run/postgresql --dbname postgres`;
    return {
      services: {
        postgresql: {
          settings: {
            hba_file: `${hba}`,
            ident_file: `${ident}`,
            unix_socket_directories: lib.mkDefault("/run/postgresql"),
            listen_addresses: lib.mkDefault(postgresql.enableTCPIP ? "*" : "localhost"),
            port: lib.mkDefault(5432),
            log_destination: lib.mkDefault("stderr"),
            log_line_prefix: lib.mkDefault("[%p] "),
            jit: lib.mkDefault(false),
          },
        },
      },
      environment: { systemPackages: [postgresql.package] },
      users: {
        users: { postgres: { isSystemUser: true, group: "postgres", home: "/var/lib/postgresql", shell: "/usr/bin/bash", description: "PostgreSQL" } },
        groups: { postgres: {} },
      },
      systemd: {
        tmpfiles: { rules: ["d /var/lib/postgresql 0755 postgres postgres - -"] },
        services: {
          postgresql: {
            description: "PostgreSQL",
            wantedBy: ["multi-user.target"],
            after: ["network.target"],
            environment: { PGDATA: dataDir },
            preStart: `
if ! [ -e ${dataDir}/PG_VERSION ]; then
  rm -f ${dataDir}/*.conf
  ${bin}/initdb --pgdata ${dataDir} --username postgres --encoding UTF8 --locale C.UTF-8 --auth-local peer --auth-host scram-sha-256 ${postgresql.initdbArgs.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")}
  touch ${dataDir}/.first_startup
fi
ln -sfn ${conf} ${dataDir}/postgresql.conf
`,
            postStart: postgresql.initialScript === null ? "" : `
if [ -e ${dataDir}/.first_startup ]; then
  ${psql} --file ${postgresql.initialScript}
fi
rm -f ${dataDir}/.first_startup
`,
            serviceConfig: {
              Type: "notify",
              ExecStart: `${bin}/postgres -D ${dataDir}`,
              ExecReload: "/usr/bin/kill -HUP $MAINPID",
              User: "postgres",
              Group: "postgres",
              RuntimeDirectory: "postgresql",
              RuntimeDirectoryMode: "0755",
              StateDirectory: "postgresql",
              StateDirectoryMode: "0755",
              // Fast shutdown: clients are disconnected, nothing is lost.
              KillSignal: "SIGINT",
              KillMode: "mixed",
              TimeoutSec: 120,
              NoNewPrivileges: true,
              PrivateTmp: true,
              ProtectHome: true,
              ProtectSystem: "strict",
              ReadWritePaths: [dataDir.startsWith("/var/lib/postgresql") ? "/var/lib/postgresql" : dataDir],
            },
          },
          ...(hasSetup
            ? {
                "postgresql-setup": {
                  description: "PostgreSQL's declared databases and roles",
                  wantedBy: ["multi-user.target"],
                  requires: ["postgresql.service"],
                  after: ["postgresql.service"],
                  serviceConfig: { Type: "oneshot", RemainAfterExit: true, User: "postgres", Group: "postgres" },
                  script: `exec ${psql} --file ${setup}`,
                },
              }
            : {}),
        },
      },
      assertions: postgresql.ensureUsers
        .filter((user) => user.ensureDBOwnership)
        .map(({ name }) => ({
          assertion: postgresql.ensureDatabases.includes(name),
          message: `services.postgresql.ensureUsers: "${name}" has ensureDBOwnership, but services.postgresql.ensureDatabases has no "${name}"`,
        })),
    };
  },
});
