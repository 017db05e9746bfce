import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf, type EvaluatedSystem } from "../../evaluate-system.ts";

const system = (postgresql: object): EvaluatedSystem => evaluateSystem({ services: { postgresql: { enable: true, ...postgresql } } });

/** The file that a line of postgresql.conf or of a script names. */
function fileIn(found: EvaluatedSystem, text: string, pattern: RegExp): string {
  return found.text(pattern.exec(text)![1]!);
}

const conf = (found: EvaluatedSystem): string => fileIn(found, found.script("postgresql.service", "ExecStartPre"), /ln -sfn (\S+)/);
const hba = (found: EvaluatedSystem): string => fileIn(found, conf(found), /hba_file = '(.*)'/);

test("makes databases and roles where they are missing, however often it runs", () => {
  const found = system({ ensureDatabases: ["app", "it's"], ensureUsers: [{ name: "app", ensureDBOwnership: true, ensureClauses: { createdb: true, superuser: false, inherit: null } }] });
  const script = found.script("postgresql-setup.service", "ExecStart");
  assert.match(script, /--host \/run\/postgresql --port 5432 /);
  assert.deepEqual(fileIn(found, script, /--file (\S+)/).trim().split("\n"), [
    `SELECT 'CREATE DATABASE "app"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \\gexec`,
    `SELECT 'CREATE DATABASE "it''s"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'it''s') \\gexec`,
    `SELECT 'CREATE USER "app"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') \\gexec`,
    `ALTER ROLE "app" NOSUPERUSER CREATEDB;`,
    `ALTER DATABASE "app" OWNER TO "app";`,
  ]);
});

test("writes settings with their quotes", () => {
  const text = conf(system({ settings: { shared_buffers: "256MB", log_connections: true, work_mem: 4, search_path: ["a", "b"], log_line_prefix: "it's \\ %m", jit: null }, enableTCPIP: true }));
  for (const line of ["shared_buffers = '256MB'", "log_connections = on", "work_mem = 4", "search_path = 'a, b'", "log_line_prefix = 'it''s \\\\ %m'", "listen_addresses = '*'", "port = 5432"]) assert.ok(text.split("\n").includes(line), `${line}\n${text}`);
  assert.doesNotMatch(text, /^jit/m);
});

test("asks the port that is set", () => {
  assert.match(system({ settings: { port: 5433 }, ensureDatabases: ["a"] }).script("postgresql-setup.service", "ExecStart"), /--port 5433 /);
});

test("puts a machine's own lines of authentication before the default ones", () => {
  const rules = hba(system({ authentication: "host app app 192.0.2.0/24 scram-sha-256" })).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(rules.map((line) => line.split(/\s+/).slice(0, 3).join(" ")), ["host app app", "local all postgres", "local all all", "host all all", "host all all"]);
});

test("drops the default lines where authentication is forced", () => {
  const found = evaluateSystem((({ lib }: { lib: typeof import("../../../../core/index.ts").lib }) => ({ services: { postgresql: { enable: true, authentication: lib.mkForce("local all all trust\n") } } })) as never);
  assert.equal(hba(found).replace(/^#.*\n/, ""), "local all all trust\n");
});

test("keeps the cluster in a folder of its version, or in another that is made for it", () => {
  assert.match(system({}).unit("postgresql.service"), /^Environment="PGDATA=\/var\/lib\/postgresql\/\d+"$/m);
  const moved = system({ dataDir: "/srv/my data" });
  assert.match(moved.unit("postgresql.service"), /^ExecStart=\S+\/bin\/postgres -D "\/srv\/my data"$/m);
  assert.match(moved.unit("postgresql.service"), /^ReadWritePaths="\/srv\/my data"$/m);
  assert.ok(moved.manifest.tmpfiles.includes("'d' '/srv/my data' '0700' 'postgres' 'postgres' '-'"));
  assert.match(moved.script("postgresql.service", "ExecStartPre"), /^if ! \[ -e '\/srv\/my data'\/PG_VERSION \]/m);
});

test("lets others wait for the declared databases by a target", () => {
  assert.match(system({ ensureDatabases: ["a"] }).unit("postgresql.target"), /^Requires=postgresql\.service postgresql-setup\.service$/m);
});

test("rejects what PostgreSQL would refuse", () => {
  const problems = problemsOf({ services: { postgresql: { enable: true, authentication: "locl all all trust\nhost all all", ensureDatabases: ["x".repeat(64)], ensureUsers: [{ name: "app", ensureDBOwnership: true }, { name: "pg_x" }], settings: { "a b": 1 } } } });
  for (const pattern of [/authentication: "locl all all trust" is no line/, /authentication: "host all all" is no line/, /ensureDatabases: the name "x{64}" is longer/, /ensureUsers: "app" has ensureDBOwnership, but .*; add it there/, /keeps the name "pg_x" for itself/, /settings\."a b"/]) {
    assert.ok(problems.some((problem) => pattern.test(problem)), `${pattern}\n${problems.join("\n")}`);
  }
  assert.equal(problems.length, 6);
});
