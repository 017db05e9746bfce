/**
 * What an editor and `tsos check` pay for trees of options as large as NixOS's: synthetic modules, declared as a build
 * of tsos declares its own, and a configuration that uses them. The editor is the TypeScript server, spoken to over
 * its protocol; a key is typed before every question, so that none is answered from what it had computed.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { ensureDeclarations } from "../../core/config/declarations/ensure-declarations.ts";
import { declarationsEntry } from "../../core/config/declarations/declarations-folder.ts";
import { EditorServer, marked } from "../editor/editor-server.ts";
import { processCpu } from "./tools/process-cpu.ts";
import { projectSettings, syntheticPath, writeSyntheticProject } from "../editor/synthetic-modules.ts";

type Figures = { readonly ours: number; readonly cpu?: number | undefined };
type Benchmark = { readonly name: string; run(): Promise<Figures> };
type Measured = Readonly<Record<string, Figures>>;

const installation = resolve(import.meta.dirname, "../..");
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript")), "tsc.js");
const REPEATS = 9;

const QUESTIONS = {
  first: "first completion after opening the project",
  nested: "completion inside a submodule's definition",
  wide: "completion of the names under `services`",
  read: "completion of `config.services.…`",
  hover: "hover",
  definition: "go to definition",
  diagnostics: "errors after a key",
} as const;

/** A configuration that uses twenty modules. */
function configText(modules: number): string {
  const used = Array.from({ length: Math.min(20, modules) }, (_, k) => syntheticPath(Math.floor((k * modules) / Math.min(20, modules))));
  const byPrefix = new Map<string, string[]>();
  for (const [prefix, name] of used) byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), `      ${name}: { enable: true, port: 8080, settings: { workers: 4, more: ["x"] }, instances: { a: { root: "/srv/a" } } },`]);
  return `import { defineSystem } from "tsos";

export default defineSystem(({ config, pkgs, lib }) => ({
  networking: { hostName: config.services.daemon0.user },
  environment: { systemPackages: [pkgs.git] },
${[...byPrefix].map(([prefix, lines]) => `  ${prefix}: {\n${lines.join("\n")}\n    },`).join("\n")}
}));
`;
}

/** @param name a module under `services` that the text does not use */
async function measureEditor(project: string, text: string, name: string): Promise<Measured> {
  const file = join(project, "system.config.ts");
  writeFileSync(file, text);
  using server = new EditorServer();
  const figures: Record<string, Figures> = {};
  const ask = async (question: () => Promise<unknown>): Promise<Figures> => {
    const cpu = processCpu(server.pid);
    const began = performance.now();
    await question();
    return { ours: performance.now() - began, cpu: processCpu(server.pid) - cpu };
  };
  const median = async (before: (i: number) => Promise<void>, question: () => Promise<unknown>): Promise<Figures> => {
    const all: Figures[] = [];
    for (let i = 0; i < REPEATS; i++) {
      await before(i);
      all.push(await ask(question));
    }
    // The first ones compile what the others run.
    return all.slice(2).sort((a, b) => a.ours - b.ours)[Math.floor((REPEATS - 2) / 2)]!;
  };
  const inNested = marked(text.replace('root: "/srv/a"', 'root: "/srv/a", i|'));
  const expect = async (position: number, wanted: string): Promise<void> => {
    const found = await server.completions(file, position);
    if (!found.some((entry) => entry.name === wanted)) throw new Error(`completion has no "${wanted}"`);
  };
  figures.first = await ask(async () => {
    await server.show(file, inNested.text);
    await expect(inNested.position, "index");
  });
  const keyed = (shown: { readonly text: string; readonly position: number }) => async (i: number): Promise<void> => {
    await server.show(file, shown.text);
    await server.type(file, shown.text.length, `// ${i}\n`);
  };
  figures.nested = await median(keyed(inNested), () => expect(inNested.position, "index"));
  const wide = marked(text.replace("  services: {", "  services: { d|,"));
  figures.wide = await median(keyed(wide), () => expect(wide.position, name));
  const read = marked(text.replace("config.services.daemon0.user", "config.services.|"));
  figures.read = await median(keyed(read), () => expect(read.position, name));
  const over = marked(text.replace('root: "/srv/a"', 'ro|ot: "/srv/a"'));
  figures.hover = await median(keyed(over), async () => {
    if (!(await server.hover(file, over.position))?.documentation.startsWith("The folder")) throw new Error("hover has no description");
  });
  figures.definition = await median(keyed(over), async () => {
    const [definition] = await server.definitions(file, over.position);
    if (definition === undefined || definition.file.endsWith(".d.ts")) throw new Error("the definition is not in the module's source");
  });
  const wrong = text.replace('root: "/srv/a"', 'roott: "/srv/a"');
  figures.diagnostics = await median(keyed({ text: wrong, position: 0 }), async () => {
    if ((await server.diagnostics(file)).length !== 1) throw new Error("the typo is not the one error");
  });
  figures.memory = { ours: server.memory() / 1024 / 1024 };
  return figures;
}

/** The compiler in a fresh process. */
async function measureCheck(folder: string, project: string): Promise<Figures> {
  const reporter = join(folder, "report-cpu.cjs");
  writeFileSync(reporter, 'process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write(JSON.stringify((user + system) / 1000)); });');
  const all: Figures[] = [];
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    const { stderr } = await promisify(execFile)(process.execPath, ["--require", reporter, tsc, "-p", project]);
    all.push({ ours: performance.now() - began, cpu: Number(stderr) });
  }
  return all.sort((a, b) => a.ours - b.ours)[2]!;
}

function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-bench-editor-"));
  return run(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

function measureSynthetic(modules: number): Promise<Measured> {
  return withFolder(async (folder) => {
    const began = performance.now();
    const project = writeSyntheticProject(folder, modules);
    const generated = performance.now() - began;
    const text = configText(modules);
    const figures = await measureEditor(project, text, syntheticPath(1)[1]);
    writeFileSync(join(project, "system.config.ts"), text);
    return { ...figures, check: await measureCheck(folder, project), generate: { ours: generated } };
  });
}

function measureOwn(): Promise<Figures> {
  return withFolder(async (folder) => {
    ensureDeclarations(installation);
    const project = join(folder, "project");
    mkdirSync(join(project, "site"), { recursive: true });
    writeFileSync(join(project, "tsconfig.json"), projectSettings(declarationsEntry(installation)));
    writeFileSync(join(project, "system.config.ts"), readFileSync(join(installation, "templates/server/system.config.ts")));
    return measureCheck(folder, project);
  });
}

function benchmarksOf(options: number): readonly Benchmark[] {
  let measured: Promise<Measured> | undefined;
  const figure = (key: string): (() => Promise<Figures>) => async () => (await (measured ??= measureSynthetic(options / 12.5)))[key]!;
  const title = `${options.toLocaleString("en")} options`;
  return [
    ...Object.entries(QUESTIONS).map(([key, what]): Benchmark => ({ name: `editor: ${title}, ${what}`, run: figure(key) })),
    { name: `editor: ${title}, memory of the server (MB)`, run: figure("memory") },
    { name: `editor: ${title}, type check in a fresh process`, run: figure("check") },
    { name: `editor: ${title}, declarations made by the build`, run: figure("generate") },
  ];
}

export const benchmarks: readonly Benchmark[] = [
  { name: "editor: type check of the server template in a fresh process", run: measureOwn },
  ...[1000, 5000, 25_000].flatMap(benchmarksOf),
];
