import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { evaluateConfig } from "../../core/config/evaluate.ts";
import { openRuntimeFolder } from "../../core/config/runtime-folder.ts";
import { installation, runTsos, type TsosOptions } from "./tsos-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-purity-"));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

// A server with what a project has: modules of its own, data, a folder that is listed, texts that are sorted.
const FILES: Readonly<Record<string, string>> = {
  "package.json": "{}",
  "system.config.ts": [
    'import { defineSystem, path, readFile, readFolder } from "tsos";',
    'import server from "./server/system.config.ts";',
    'import data from "./data.json";',
    "export default defineSystem({",
    "  imports: [server],",
    "  config: ({ lib }) => ({",
    "    environment: { etc: {",
    '      hosts: { text: readFolder("./hosts").map(({ name }) => readFile(`./hosts/${name}`)).join("") },',
    '      sorted: { text: ["ä", "b", "a", "Z"].sort((a, b) => a.localeCompare(b)).concat(data.names).join(",") },',
    '      stack: { text: String(new Error("where").stack) },',
    '      date: { text: new Date("2026-01-31T08:00:00+01:00").toISOString() },',
    '      names: { text: [Object.getOwnPropertyNames(globalThis).sort().join(" "), String(Math.max(1, 2))].join("\\n") },',
    '      whole: { source: path("./site") },',
    "    } },",
    '    networking: { domain: lib.mkDefault("example") },',
    "  }),",
    "});",
    "",
  ].join("\n"),
  "data.json": '{ "names": ["x", "y"] }',
  "hosts/c": "c\n",
  "hosts/a": "a\n",
  "hosts/b": "b\n",
  "site/index.html": "<p>hello\n",
  "site/b/2": "2",
  "site/a/1": "1",
};

function makeProject(name: string, order: (names: readonly string[]) => readonly string[] = (names) => names): string {
  const project = join(folder, name);
  for (const file of order(Object.keys(FILES))) {
    mkdirSync(join(project, file, ".."), { recursive: true });
    writeFileSync(join(project, file), FILES[file]!);
  }
  cpSync(join(installation, "templates/server"), join(project, "server"), { recursive: true });
  return project;
}

type Setting = { readonly what: string; readonly project?: () => string; readonly options?: Partial<TsosOptions>; readonly config?: boolean; readonly needs?: () => string | undefined };

let plain: string;
let count = 0;

/** Evaluates in a real process with no cache, and gives the derivation's path: a hash of all that it is made from. */
async function evaluate(project: string, options: Partial<TsosOptions> = {}, config: readonly string[] = []): Promise<string> {
  const stateFolder = join(folder, `state${count++}`);
  mkdirSync(stateFolder);
  chmodSync(stateFolder, 0o777);
  const { code, stdout, stderr } = await runTsos(["eval", "--drv", ...config], { cwd: project, stateFolder, ...options });
  assert.equal(code, 0, stderr);
  return stdout;
}

before(async () => {
  plain = await evaluate(makeProject("plain"));
  assert.match(plain, /^\/nix\/store\/[0-9a-z]{32}-tsos-system-server\.drv\n$/);
});

const has = (program: string, ...args: readonly string[]) => (): string | undefined => (spawnSync(program, args).status === 0 ? undefined : `${[program, ...args].join(" ")} does not work here`);
const locales = ["C", "de_DE.UTF-8", "tr_TR.UTF-8", "POSIX"];

const SETTINGS: readonly Setting[] = [
  ...["Pacific/Kiritimati", "America/Los_Angeles"].map((zone): Setting => ({ what: `the time zone ${zone}`, options: { env: { TZ: zone } } })),
  ...locales.map((locale): Setting => ({ what: `the locale ${locale}`, options: { env: { LANG: locale, LC_ALL: locale, LANGUAGE: locale } } })),
  // A whole namespace has another clock since boot; the wall clock cannot be unshared.
  { what: "another monotonic clock", options: { prefix: ["unshare", "--time", "--monotonic", "10000000", "--boottime", "10000000", "--fork"] }, needs: has("unshare", "--time", "--monotonic", "10000000", "--fork", "true") },
  { what: "another date", options: { prefix: ["faketime", "2001-02-03 04:05:06"] }, needs: has("faketime", "2001-02-03 04:05:06", "true") },
  { what: "another home", options: { env: { HOME: "/nonexistent" } } },
  { what: "an environment of other names", options: { env: { HOST: "elsewhere", USER: "nobody", EDITOR: "vi", NODE_ENV: "production", SOURCE_DATE_EPOCH: "1", TERM: "dumb", DEBUG: "*" } } },
  { what: "options of Node", options: { env: { NODE_OPTIONS: "--max-old-space-size=900 --stack-trace-limit=1 --no-deprecation" } } },
  { what: "another user", options: { prefix: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"], env: { HOME: "/nonexistent" } }, needs: () => (process.getuid?.() === 0 ? has("setpriv", "--version")() : "only root can become another user") },
  { what: "another umask", options: { prefix: ["sh", "-c", 'umask 077; exec "$@"', "sh"] } },
  { what: "tight limits", options: { prefix: ["sh", "-c", 'ulimit -n 256 -s 4096 -c 0; exec "$@"', "sh"] } },
  { what: "another priority and one processor", options: { prefix: ["taskset", "1", "nice", "-n", "10"] }, needs: has("taskset", "1", "true") },
  { what: "another folder", project: () => makeProject("elsewhere/deep below/plain") },
  { what: "files made in another order", project: () => makeProject("reversed", (names) => [...names].reverse()) },
  { what: "another working folder", project: () => join(folder, "plain"), options: { cwd: "/" }, config: true },
  {
    what: "files of another age",
    project: () => {
      const project = makeProject("old");
      for (const name of readdirSync(project, { recursive: true })) utimesSync(join(project, String(name)), 1, 1);
      return project;
    },
  },
];

for (const { what, project, options, config, needs } of SETTINGS) {
  test(`a server is the same, byte for byte, with ${what}`, { skip: needs?.() ?? false }, async () => {
    const place = project?.() ?? join(folder, "plain");
    assert.equal(await evaluate(place, options, config === true ? ["--config", join(place, "system.config.ts")] : []), plain);
  });
}

test("the texts of all derivations are the same from two folders, and name neither", async () => {
  const texts: string[] = [];
  for (const place of [join(folder, "plain"), makeProject("second")]) {
    const { instantiation } = await evaluateConfig({ file: join(place, "system.config.ts"), request: { kind: "system" }, runtime: openRuntimeFolder(join(installation, "dist")) });
    assert.ok(instantiation.derivations.length > 100);
    texts.push(JSON.stringify(instantiation.derivations), JSON.stringify(instantiation.sources.map((source) => ({ ...source, file: undefined }))));
  }
  const [one = "", sources = "", other, otherSources] = texts;
  assert.equal(one, other);
  assert.equal(sources, otherSources);
  for (const text of [one, sources]) for (const name of [folder, installation, tmpdir()]) assert.ok(name.length < 5 || !text.includes(`${name}/`), name);
});
