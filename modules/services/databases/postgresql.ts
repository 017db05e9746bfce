import { defineModule, defineOptions, option, types } from "../../../core/index.ts";
import { quoteExecWord } from "../../system/systemd/unit-text.ts";

const setting = types.nullOr(types.oneOf([types.bool, types.float, types.int, types.str, types.listOf(types.str)]));
const roleName = types.strMatching(/[^"\0\n]+/);
const clause = (description: string) => option(types.nullOr(types.bool), { default: null, description });

const options = defineOptions({
  services: {
    postgresql: {
      enable: option(types.bool, { default: false, description: "Whether PostgreSQL runs." }),
      package: option(types.package, { default: ({ pkgs }) => pkgs.postgresql, defaultText: "pkgs.postgresql", description: "The PostgreSQL to run." }),
      dataDir: option(types.nullOr(types.strMatching(/\/[^\n\0]+/)), { default: null, description: "The cluster's folder; null: /var/lib/postgresql/VERSION. A new major version needs a new one.", example: "/var/lib/postgresql/17" }),
      enableTCPIP: option(types.bool, { default: false, description: "Whether it listens on the network, not only on its socket and loopback." }),
      authentication: option(types.lines, {
        default: "",
        description: "Lines of pg_hba.conf, of which the first that fits counts. The default ones come last: the socket for everybody as themselves (peer), loopback with a password; lib.mkForce drops them.",
        example: "host app app 192.0.2.0/24 scram-sha-256",
      }),
      identMap: option(types.lines, { default: "", description: "Lines of pg_ident.conf, after those that let root and postgres be postgres." }),
      settings: option(
        types.submodule({
          freeformType: types.attrsOf(setting),
          options: { port: option(types.port, { default: 5432, description: "The port, which the socket is named after, too." }) },
        }),
        { default: {}, description: "Settings of postgresql.conf; a list is joined by commas, null leaves one to PostgreSQL.", example: { shared_buffers: "256MB", log_connections: true } },
      ),
      enableJIT: option(types.bool, { default: false, description: "Whether queries are compiled; the package needs LLVM for it." }),
      initdbArgs: option(types.listOf(types.str), { default: [], description: "Arguments of initdb, when the cluster is made.", example: ["--data-checksums"] }),
      initialScript: option(types.nullOr(types.path), { default: null, description: "SQL that runs once, when the cluster is made." }),
      ensureDatabases: option(types.listOf(roleName), { default: [], description: "Databases that are made where they are missing; none is ever dropped.", example: ["app"] }),
      ensureUsers: option(
        types.listOf(
          types.submodule({
            options: {
              name: option(roleName, { description: "The role's name." }),
              ensureDBOwnership: option(types.bool, { default: false, description: "Whether it owns the database of its own name." }),
              ensureClauses: {
                superuser: clause("Whether it may do everything."),
                createrole: clause("Whether it may make roles."),
                createdb: clause("Whether it may make databases."),
                inherit: clause("Whether it has the rights of roles that it is in."),
                login: clause("Whether it may log in."),
                replication: clause("Whether it may replicate."),
                bypassrls: clause("Whether row security does not hold for it."),
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

/** A value of postgresql.conf, where a backslash in a string begins an escape. */
function literal(value: boolean | number | string | readonly string[]): string {
  if (value === true) return "on";
  if (value === false) return "off";
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? value : value.join(", ");
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\n", "\\n")}'`;
}

const identifier = (name: string): string => `"${name}"`;
const sqlString = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const shellWord = (text: string): string => (/^[A-Za-z0-9_./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** PostgreSQL cuts off longer names, so that the next start would not find what it made. */
const LONGEST_NAME = 63;

export default defineModule({
  options,
  config: ({ config, lib, pkgs }) => {
    const { postgresql } = config.services;
    if (!postgresql.enable) return {};
    const version = postgresql.package.version.split(".")[0]!;
    const dataDir = postgresql.dataDir ?? `/var/lib/postgresql/${version}`;
    const isOwnState = dataDir.startsWith("/var/lib/postgresql/");
    const bin = `${postgresql.package}/bin`;
    const settings = Object.entries(postgresql.settings);
    const conf = pkgs.writeText(
      "postgresql.conf",
      settings
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, value]) => (value === null ? [] : [`${name} = ${literal(value)}\n`]))
        .join(""),
    );
    const hba = pkgs.writeText("pg_hba.conf", `# Made by tsos from services.postgresql.authentication.\n${postgresql.authentication}`);
    const ident = pkgs.writeText("pg_ident.conf", `# Made by tsos from services.postgresql.identMap.\n${postgresql.identMap}`);
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
    const { port } = postgresql.settings;
    const psql = `${bin}/psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host /run/postgresql --port ${port} --dbname postgres`;
    const names = [...postgresql.ensureDatabases.map((name) => ["ensureDatabases", name] as const), ...postgresql.ensureUsers.map(({ name }) => ["ensureUsers", name] as const)];
    const data = shellWord(dataDir);
    return {
      services: {
        postgresql: {
          authentication: lib.mkAfter(`# What services.postgresql.authentication has by default:
local all postgres         peer map=postgres
local all all              peer
host  all all 127.0.0.1/32 scram-sha-256
host  all all ::1/128      scram-sha-256
`),
          identMap: lib.mkBefore("postgres postgres postgres\npostgres root     postgres\n"),
          settings: {
            hba_file: `${hba}`,
            ident_file: `${ident}`,
            unix_socket_directories: lib.mkDefault("/run/postgresql"),
            listen_addresses: lib.mkDefault(postgresql.enableTCPIP ? "*" : "localhost"),
            log_destination: lib.mkDefault("stderr"),
            log_line_prefix: lib.mkDefault("[%p] "),
            jit: lib.mkDefault(postgresql.enableJIT),
          },
        },
      },
      environment: { systemPackages: [postgresql.package] },
      users: {
        users: { postgres: { isSystemUser: true, group: "postgres", home: "/var/lib/postgresql", useDefaultShell: true, description: "PostgreSQL" } },
        groups: { postgres: {} },
      },
      systemd: {
        tmpfiles: { settings: isOwnState ? {} : { "10-postgresql": { [dataDir]: { d: { mode: "0700", user: "postgres", group: "postgres" } } } } },
        targets: {
          // What needs the declared databases is started after this.
          postgresql: {
            description: "PostgreSQL with what is declared of it",
            wantedBy: ["multi-user.target"],
            requires: ["postgresql.service", ...(hasSetup ? ["postgresql-setup.service"] : [])],
            after: ["postgresql.service", ...(hasSetup ? ["postgresql-setup.service"] : [])],
          },
        },
        services: {
          postgresql: {
            description: "PostgreSQL",
            wantedBy: ["multi-user.target"],
            after: ["network.target"],
            environment: { PGDATA: dataDir.replaceAll("%", "%%") },
            preStart: `
if ! [ -e ${data}/PG_VERSION ]; then
  rm -f ${data}/*.conf
  ${bin}/initdb --pgdata ${data} --username postgres --encoding UTF8 --locale C.UTF-8 --auth-local peer --auth-host scram-sha-256 ${postgresql.initdbArgs.map(shellWord).join(" ")}
  touch ${data}/.first_startup
fi
if [ "$(cat ${data}/PG_VERSION)" != ${version} ]; then
  echo ${shellWord(`the cluster in ${dataDir} is of another version than ${version}; give services.postgresql.dataDir a new folder and move the data, or keep the package`)} >&2
  exit 1
fi
ln -sfn ${conf} ${data}/postgresql.conf
`,
            postStart: postgresql.initialScript === null ? "" : `
if [ -e ${data}/.first_startup ]; then
  ${psql} --file ${shellWord(postgresql.initialScript)}
  rm -f ${data}/.first_startup
fi
`,
            serviceConfig: {
              Type: "notify",
              ExecStart: `${bin}/postgres -D ${quoteExecWord(dataDir)}`,
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
              ProtectHome: dataDir.startsWith("/home/") || dataDir.startsWith("/root/") ? false : true,
              ProtectSystem: "strict",
              ...(isOwnState ? {} : { ReadWritePaths: [quoteExecWord(dataDir)] }),
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
      assertions: [
        ...postgresql.ensureUsers
          .filter((user) => user.ensureDBOwnership)
          .map(({ name }) => ({
            assertion: postgresql.ensureDatabases.includes(name),
            message: `services.postgresql.ensureUsers: "${name}" has ensureDBOwnership, but services.postgresql.ensureDatabases has no "${name}"; add it there`,
          })),
        ...names.map(([option, name]) => ({
          assertion: new TextEncoder().encode(name).length <= LONGEST_NAME,
          message: `services.postgresql.${option}: the name "${name}" is longer than ${LONGEST_NAME} bytes, where PostgreSQL cuts it off`,
        })),
        ...postgresql.ensureUsers.map(({ name }) => ({ assertion: !/^pg_|^(public|none)$/.test(name), message: `services.postgresql.ensureUsers: PostgreSQL keeps the name "${name}" for itself` })),
        ...settings.map(([name]) => ({ assertion: /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$/.test(name), message: `services.postgresql.settings.${JSON.stringify(name)}: "${name}" cannot be the name of a setting` })),
        ...postgresql.authentication
          .split("\n")
          .filter((line) => line.trim() !== "" && !line.trim().startsWith("#"))
          .map((line) => {
            const [kind = "", ...rest] = line.trim().split(/\s+/);
            const fields = kind === "local" ? 3 : 4;
            const isWhole = /^include(_if_exists|_dir)?$/.test(kind) ? rest.length > 0 : /^(local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)$/.test(kind) && rest.length >= fields;
            return { assertion: isWhole, message: `services.postgresql.authentication: "${line.trim()}" is no line of pg_hba.conf; it is "local DATABASE USER METHOD" or "host DATABASE USER ADDRESS METHOD"` };
          }),
      ],
    };
  },
});
