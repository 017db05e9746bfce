/** Modules as many as NixOS has, that declare options like its own: for measuring what an editor does with them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { generateDeclarations } from "../../core/config/declarations/generate-declarations.ts";
import { writeTree } from "../../core/config/declarations/ensure-declarations.ts";

const installation = resolve(import.meta.dirname, "../..");
const PREFIXES = ["services", "services", "services", "services", "services", "services", "programs", "hardware", "virtualisation", "security"];

/** Where the options of a module stand. */
export function syntheticPath(i: number): readonly [string, string] {
  return [PREFIXES[i % PREFIXES.length]!, `daemon${i}`];
}

// Twelve or thirteen options and, in submodules, four more.
function moduleText(i: number): string {
  const [prefix, name] = syntheticPath(i);
  return `import { defineModule, defineOptions, option, types } from ${JSON.stringify(join(installation, "core/index.ts"))};

const options = defineOptions({
  ${prefix}: {
    ${name}: {
      enable: option(types.bool, { default: false, description: "Whether to run ${name}, which serves what others of its kind do not." }),
      package: option(types.package, { default: ({ pkgs }) => pkgs.hello, defaultText: "pkgs.hello", description: "The package of ${name} to use." }),
      port: option(types.port, { default: ${1024 + (i % 60000)}, description: "The port that ${name} listens on.", example: 8080 }),
      user: option(types.str, { default: "${name}", description: "The account that ${name} runs as." }),
      extraGroups: option(types.listOf(types.str), { default: [], description: "Further groups of the account.", example: ["video"] }),
      dataDir: option(types.path, { default: "/var/lib/${name}", description: "Where ${name} keeps its data." }),
      logLevel: option(types.enum(["debug", "info", "error"]), { default: "info", description: "What is logged." }),
      extraConfig: option(types.lines, { default: "", description: "Further lines of the configuration file." }),
      openFirewall: option(types.bool, { default: false, description: "Whether other machines reach the port." }),
      timeout: option(types.nullOr(types.ints.positive), { default: null, description: "Seconds until a request fails." }),
      settings: option(
        types.submodule({ freeformType: types.attrsOf(types.json), options: { workers: option(types.int, { default: 2, description: "How many processes work." }) } }),
        { default: {}, description: "The configuration file." },
      ),
      instances: option(
        types.attrsOf(
          types.submodule({
            options: {
              root: option(types.nullOr(types.path), { default: null, description: "The folder of the instance.", example: "/srv/a" }),
              index: option(types.str, { default: ({ name }) => name, description: "The file that stands for a folder." }),
              environment: option(types.attrsOf(types.str), { default: {}, description: "Variables." }),
            },
          }),
        ),
        { default: {}, description: "Instances, by name.", example: { a: { root: "/srv/a" } } },
      ),
      ${i % 2 === 0 ? 'backup: option(types.bool, { default: true, description: "Whether the data is saved." }),' : ""}
    },
  },
});

declare module ${JSON.stringify(join(installation, "core/option/registry.ts"))} {
  interface OptionModules {
    "synthetic/${name}": typeof options;
  }
}

export default defineModule({ options, config: ({ config }) => (config.${prefix}.${name}.enable ? { warnings: [] } : {}) });
`;
}

/** Settings of a user's project as `tsos init` writes them, with other declarations of `"tsos"`. */
export function projectSettings(declarations: string): string {
  return JSON.stringify({
    compilerOptions: {
      target: "es2023", lib: ["es2023"], module: "esnext", moduleResolution: "bundler", types: [], strict: true,
      noUncheckedIndexedAccess: true, allowImportingTsExtensions: true, resolveJsonModule: true, skipLibCheck: true, noEmit: true,
      paths: { tsos: [declarations] },
    },
    include: ["**/*.ts"],
  });
}

/**
 * Writes so many modules into `folder`, what a build makes of them beside tsos's own, and a project that uses them.
 * @returns the project's folder
 */
export function writeSyntheticProject(folder: string, modules: number): string {
  const sources = join(folder, "modules");
  const declarations = join(folder, "types");
  const project = join(folder, "project");
  for (const path of [sources, declarations, project]) mkdirSync(path, { recursive: true });
  const names = Array.from({ length: modules }, (_, i) => {
    writeFileSync(join(sources, `daemon${i}.ts`), moduleText(i));
    return `import "./daemon${i}.ts";`;
  });
  const entry = join(sources, "tsos.d.ts");
  writeFileSync(entry, [`import ${JSON.stringify(join(installation, "cli/tsos.d.ts"))};`, ...names, `export * from ${JSON.stringify(join(installation, "core/index.ts"))};\n`].join("\n"));
  writeTree(declarations, generateDeclarations({ installation, entry, outFolder: declarations }).files);
  writeFileSync(join(project, "tsconfig.json"), projectSettings(join(declarations, "tsos.d.ts")));
  return project;
}
