/**
 * What the types of pinned trees cost: to make them, and in an editor that completes names of packages, of NixOS' options
 * and of home-manager's. `TSOS_GOLDEN_NIXPKGS` and `TSOS_HOME_MANAGER` name the trees. The editor is the TypeScript
 * server, spoken to over its protocol; a key is typed before every question.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ensureDeclarations } from "../../core/config/declarations/ensure-declarations.ts";
import { declarationsEntry } from "../../core/config/declarations/declarations-folder.ts";
import { EditorServer, marked } from "../editor/editor-server.ts";
import { projectSettings } from "../editor/synthetic-modules.ts";
import { GOLDEN_NIXPKGS } from "../golden/nixpkgs-tree.ts";
import { inFolder } from "./tools/in-folder.ts";
import { processCpu } from "./tools/process-cpu.ts";
import { timeProcess } from "./tools/whole-process.ts";
import type { Benchmark, Figures } from "./run.ts";

const installation = resolve(import.meta.dirname, "../..");
const tsos = join(installation, "bin/tsos.js");
const home = process.env["TSOS_HOME_MANAGER"];
const REPEATS = 12;

/** A question about a text with the place in it, and a name that the answer must have. */
type Question = { readonly what: string; readonly file: "machine" | "home" | "own"; readonly text: string; readonly wanted: string };

const HEAD = `import { defineHome, defineInputs, defineNixosSystem, type HomeModule, type NixosModule } from "tsos";
const inputs = defineInputs({ nixpkgs: ${JSON.stringify(`path:${GOLDEN_NIXPKGS ?? ""}`)}, homeManager: ${JSON.stringify(`path:${home ?? ""}`)} });
`;
const machine = (inside: string, typed = "const module: NixosModule = "): string => `${HEAD}
${typed}({ config, pkgs, lib }) => ({
  networking: { hostName: "web" },
  services: { nginx: { enable: true, virtualHosts: { "a.example": { root: "/srv/a", locations: { "/": { proxyPass: "http://localhost:1" } } } } }, openssh: { enable: lib.mkDefault(true) } },
  environment: { systemPackages: [pkgs.git, pkgs.hello] },
  ${inside}
});

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [module] });
`;
const homeText = (inside: string): string => `${HEAD}
const module: HomeModule = ({ config, pkgs, lib }) => ({
  home: { username: "ann", homeDirectory: "/home/ann", stateVersion: "26.05", packages: [pkgs.ripgrep] },
  ${inside}
});

export default defineHome({ nixpkgs: inputs.nixpkgs, homeManager: inputs.homeManager, modules: [module] });
`;

const ownText = (inside: string): string => `import { defineInputs, defineSystem } from "tsos";
const inputs = defineInputs({ nixpkgs: ${JSON.stringify(`path:${GOLDEN_NIXPKGS ?? ""}`)} });
void inputs;

export default defineSystem(({ pkgs }) => ({ environment: { systemPackages: [pkgs.nixpkgs.git, ${inside}] } }));
`;

const QUESTIONS: readonly Question[] = [
  { what: "27,000 names of packages in a machine of tsos (`pkgs.nixpkgs.`)", file: "own", text: ownText("pkgs.nixpkgs.|"), wanted: "ripgrep" },
  { what: "27,000 names of packages in one of NixOS (`pkgs.`)", file: "machine", text: machine("users: { mutableUsers: false }, programs: { less: { lessopen: `${pkgs.|}` } },"), wanted: "ripgrep" },
  { what: "the same behind a letter", file: "machine", text: machine("users: { mutableUsers: false }, programs: { less: { lessopen: `${pkgs.r|}` } },"), wanted: "ripgrep" },
  { what: "options of NixOS at the top", file: "machine", text: machine("n|"), wanted: "nix" },
  { what: "options of NixOS under `services`", file: "machine", text: machine("").replace("openssh: {", "p|, openssh: {"), wanted: "postgresql" },
  { what: "options of NixOS inside a submodule", file: "machine", text: machine("").replace('root: "/srv/a",', 'root: "/srv/a", e|,'), wanted: "enableACME" },
  { what: "`config.services.` of NixOS", file: "machine", text: machine("programs: { less: { lessopen: config.services.| } },"), wanted: "postgresql" },
  { what: "options of home-manager under `programs`", file: "home", text: homeText("programs: { g| },"), wanted: "git" },
  { what: "options of home-manager inside `programs.git`", file: "home", text: homeText("programs: { git: { enable: true, s| } },"), wanted: "settings" },
  { what: "`config.programs.` of home-manager", file: "home", text: homeText("programs: { git: { enable: config.programs.| } },"), wanted: "firefox" },
];

type Measured = ReadonlyMap<string, Figures>;

function measure(): Promise<Measured> {
  return inFolder(async (folder) => {
    const figures = new Map<string, Figures>();
    ensureDeclarations(installation);
    const project = join(folder, "project");
    mkdirSync(project);
    const settings = JSON.parse(projectSettings(declarationsEntry(installation))) as { include: readonly string[] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ ...settings, include: ["*.ts", ".tsos/*.d.ts"] }));
    writeFileSync(join(project, "package.json"), "{}");
    writeFileSync(join(project, "tsos.lock"), '{ "version": 1, "inputs": {} }');
    for (const [name, text] of [["home.config.ts", homeText("")], ["system.config.ts", machine("")], ["own.ts", ownText("")]] as const) writeFileSync(join(project, name), text);
    const env = { ...process.env, TSOS_CACHE_DIR: join(folder, "cache"), NIX_PATH: "", NODE_EXTRA_CA_CERTS: undefined };
    // The lock file, without what an update begins beside it. The home asks for the other input.
    for (const [file, option] of [["system", "networking.hostName"], ["home", "home.username"]]) timeProcess(process.execPath, [tsos, "eval", "-c", `${file}.config.ts`, option!], { env, cwd: project });
    const made = timeProcess(process.execPath, [tsos, "update", "--types"], { env, cwd: project });
    figures.set("made", { ours: made.wall, cpu: made.cpu });
    using server = new EditorServer();
    const ask = async (question: () => Promise<unknown>): Promise<Figures> => {
      const cpu = processCpu(server.pid);
      const began = performance.now();
      await question();
      return { ours: performance.now() - began, cpu: processCpu(server.pid) - cpu };
    };
    const files = { machine: join(project, "system.config.ts"), home: join(project, "home.config.ts"), own: join(project, "own.ts") };
    for (const { what, file, text, wanted } of QUESTIONS) {
      const shown = marked(text);
      const expect = async (): Promise<void> => {
        const found = await server.completions(files[file], shown.position);
        if (!found.some(({ name }) => name === wanted)) throw new Error(`completion of ${what} has no "${wanted}"`);
      };
      if (!figures.has("first")) {
        figures.set("first", await ask(async () => {
          await server.show(files[file], shown.text);
          await expect();
        }));
      }
      const all: Figures[] = [];
      for (let i = 0; i < REPEATS; i++) {
        await server.show(files[file], shown.text);
        await server.type(files[file], shown.text.length, `// ${i}\n`);
        all.push(await ask(expect));
      }
      figures.set(`first: ${what}`, all[0]!);
      // The first ones compile what the others run.
      figures.set(what, all.slice(2).sort((a, b) => a.ours - b.ours)[Math.floor((REPEATS - 2) / 2)]!);
    }
    figures.set("memory", { ours: server.memory() / 1024 / 1024 });
    return figures;
  });
}

let measured: Promise<Measured> | undefined;
const figure = (key: string): (() => Promise<Figures>) => async () => (await (measured ??= measure())).get(key)!;

export const benchmarks: readonly Benchmark[] =
  GOLDEN_NIXPKGS === undefined || home === undefined
    ? []
    : [
        { name: "types of packages, NixOS' and home-manager's options made, nothing kept", run: figure("made") },
        { name: "first completion after opening the project", run: figure("first") },
        ...QUESTIONS.flatMap(({ what }) => [{ name: what, run: figure(what) }, { name: `${what}, its first time`, run: figure(`first: ${what}`) }]),
        { name: "memory of the server (MB)", run: figure("memory") },
      ];
