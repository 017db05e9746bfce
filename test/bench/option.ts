/**
 * Settling of synthetic configurations, measured as a whole process: Node starts, loads the bundle with V8's code
 * cache as the isolate does, declares the options, settles, and ends.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

type Benchmark = { readonly name: string; run(): Promise<{ readonly ours: number; readonly reference?: number }> };

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

const LOADER = `
const { readFileSync, writeFileSync, existsSync } = require("node:fs");
const { Script } = require("node:vm");
const source = readFileSync(__dirname + "/bundle.js", "utf8");
const cache = __dirname + "/bundle.cache";
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
const script = new Script(source, { filename: "bundle.js", cachedData });
script.runInThisContext();
if (process.argv[2] === "warm") writeFileSync(cache, script.createCachedData());
`;

/** The text of one module of the tree: 12 or 13 options, and a \`config\` that reads others. */
function moduleText(i: number, modules: number): string {
  const group = `group${i % 40}`;
  const name = `service${i}`;
  const other = (i * 7 + 3) % modules;
  const needed = `config.group${other % 40}.service${other}`;
  return `modules.push(defineModule({
  options: { ${group}: { ${name}: {
    enable: option(types.bool, { default: false, description: "Whether to run ${name}." }),
    package: option(types.str, { default: "${name}", description: "What runs." }),
    port: option(types.port, { default: ${1024 + (i % 60000)}, description: "The port." }),
    user: option(types.str, { default: "${name}", description: "The user." }),
    extraGroups: option(types.listOf(types.str), { default: [], description: "Groups." }),
    dataDir: option(types.path, { default: "/var/lib/${name}", description: "Data." }),
    level: option(types.enum(["debug", "info", "error"]), { default: "info", description: "What is logged." }),
    extraConfig: option(types.lines, { default: "", description: "Further lines." }),
    openFirewall: option(types.bool, { default: false, description: "Whether others reach it." }),
    timeout: option(types.nullOr(types.ints.positive), { default: null, description: "Seconds." }),
    environment: option(types.attrsOf(types.str), { default: {}, description: "Variables." }),
    settings: option(types.submodule({ freeformType: types.attrsOf(types.json), options: { workers: option(types.int, { default: 2 }) } }), { default: {}, description: "Settings." }),
    ${i % 2 === 0 ? `backup: option(types.bool, { default: true, description: "Whether it is saved." }),` : ""}
  } } },
  config: ({ config, lib }) => {
    const own = config.${group}.${name};
    if (!own.enable) return {};
    return {
      units: { ${name}: { exec: own.package + " --port " + own.port, after: ${needed}.enable ? ["service${other}"] : [] } },
      ports: lib.mkIf(own.openFirewall, [own.port]),
      accounts: [own.user],
    };
  },
}));`;
}

function programText(modules: number): string {
  const enabled = Math.min(100, modules);
  const step = Math.floor(modules / enabled);
  const user = Array.from({ length: enabled }, (_, k) => {
    const i = k * step;
    return `group${i % 40}: { service${i}: { enable: true, openFirewall: true } }`;
  });
  return `
import { defineModule, option, types, lib } from ${JSON.stringify(join(root, "core/index.ts"))};
import { evaluateModules } from ${JSON.stringify(join(root, "core/option/evaluate-modules.ts"))};
const modules = [];
modules.push(defineModule({ options: {
  units: option(types.attrsOf(types.submodule({ options: {
    exec: option(types.str), after: option(types.listOf(types.str), { default: [] }), description: option(types.str, { default: ({ name }) => name }),
  } })), { default: {} }),
  ports: option(types.listOf(types.port), { default: [] }),
  accounts: option(types.listOf(types.str), { default: [] }),
} }));
${Array.from({ length: modules }, (_, i) => `{ ${moduleText(i, modules)} }`).join("\n")}
const user = (port) => defineModule({ config: lib.mkMerge([${user.map((text) => `{ ${text} }`).join(",")}, { group0: { service0: { port } } }]) });
const before = performance.now();
let result = evaluateModules({ modules: [...modules, user(80)] });
const ports = result.config.ports.length + Object.keys(result.config.units).length;
const settled = performance.now();
let changed = 0;
if (process.argv.includes("watch")) {
  // The third change: the first ones compile what changes run.
  for (let i = 1; i <= 3; i++) {
    const start = performance.now();
    result = result.update([...modules, user(80 + i)]);
    if (!result.config.units.service0.exec.endsWith(String(80 + i))) throw new Error("the change is not there");
    changed = performance.now() - start;
  }
}
const { user: userTime, system: systemTime } = process.cpuUsage();
console.log(JSON.stringify({ settle: settled - before, changed, ports, cpu: (userTime + systemTime) / 1000 }));
`;
}

async function prepare(modules: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tsos-bench-option-"));
  await build({
    stdin: { contents: programText(modules), resolveDir: root, loader: "js" },
    bundle: true,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["isolate"],
    outfile: join(folder, "bundle.js"),
    logLevel: "error",
  });
  await writeFile(join(folder, "loader.cjs"), LOADER);
  await run(process.execPath, [join(folder, "loader.cjs"), "warm"]);
  return folder;
}

async function measure(modules: number, how: "process" | "watch" | "settle"): Promise<number> {
  const folder = await prepare(modules);
  try {
    const times: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < 7; i++) {
      const start = performance.now();
      const { stdout } = await run(process.execPath, [join(folder, "loader.cjs"), how]);
      const whole = performance.now() - start;
      const inner = JSON.parse(stdout) as { readonly settle: number; readonly changed: number; readonly cpu: number };
      cpu.push(inner.cpu);
      times.push(how === "watch" ? inner.changed : how === "settle" ? inner.settle : whole);
    }
    // On a machine that does other things the time on the clock says little.
    cpu.sort((a, b) => a - b);
    console.error(`  ${modules} modules, ${how}: CPU time of the process ${Math.round(cpu[0]!)} to ${Math.round(cpu[6]!)} ms, median ${Math.round(cpu[3]!)}`);
    return times.sort((a, b) => a - b)[3]!;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const benchmarks: readonly Benchmark[] = [
  ...[500, 1000, 2000, 4000].map((modules): Benchmark => ({
    name: `settle ${modules} modules, ${modules * 12.5} options, a whole process`,
    run: async () => ({ ours: await measure(modules, "process") }),
  })),
  { name: "settle 2000 modules, without start and declarations", run: async () => ({ ours: await measure(2000, "settle") }) },
  { name: "settle again after a change, 2000 modules", run: async () => ({ ours: await measure(2000, "watch") }) },
];
