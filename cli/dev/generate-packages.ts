/** Writes `pkgs/all-packages.ts` and `pkgs/stdenv/setup-script.ts`. With `--check` it only says whether they are stale. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PackageDefinition } from "../../core/index.ts";

const root = join(import.meta.dirname, "../..");

/** Path from the root → contents, of each file that is generated. */
export async function generatePackages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["pkgs/stdenv/setup-script.ts", generateSetupScript()],
    ["pkgs/all-packages.ts", await generateAllPackages()],
  ]);
}

function generateSetupScript(): string {
  const text = readFileSync(join(root, "pkgs/stdenv/setup.sh"), "utf8");
  return [
    "// Generated from setup.sh by cli/dev/generate-packages.ts, so that the bundle of packages holds it.",
    "",
    "/** The builder of `mkDerivation`. */",
    `export const setupScript: string =\n${text.split(/(?<=\n)/).map((line) => `  ${JSON.stringify(line)}`).join(" +\n")};`,
    "",
  ].join("\n");
}

async function generateAllPackages(): Promise<string> {
  const folder = join(root, "pkgs/by-name");
  const names = readdirSync(folder)
    .flatMap((shard) => readdirSync(join(folder, shard)).map((name) => ({ shard, name })))
    .filter(({ shard, name }) => existsSync(join(folder, shard, name, "package.ts")))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const imports: string[] = [];
  const entries: string[] = [];
  const types: string[] = [];
  for (const { shard, name } of names) {
    if (shard !== name.slice(0, 2).toLowerCase()) throw new Error(`pkgs/by-name/${shard}/${name} belongs into the folder "${name.slice(0, 2).toLowerCase()}"`);
    const identifier = name.replace(/-+(.)/g, (_, letter: string) => letter.toUpperCase());
    const key = identifier === name ? name : JSON.stringify(name);
    const file = join(folder, shard, name, "package.ts");
    const { default: definition } = (await import(pathToFileURL(file).href)) as { readonly default: PackageDefinition };
    imports.push(`import ${identifier} from "./by-name/${shard}/${name}/package.ts";`);
    entries.push(identifier === name ? `  ${name},` : `  ${key}: ${identifier},`);
    types.push(`    /** ${describe(definition)} */`, `    readonly ${key}: Package;`);
  }
  return `// Generated from pkgs/by-name by cli/dev/generate-packages.ts.
${imports.join("\n")}
import type { Package, PackageDefinition } from "../core/index.ts";

/** Every package of the embedded set by its name. */
export const allPackages = {
${entries.join("\n")}
} as const satisfies Readonly<Record<string, PackageDefinition>>;

declare module "../core/package/packages.ts" {
  interface Packages {
${types.join("\n")}
  }
}
`;
}

function describe({ pname, version, meta }: PackageDefinition): string {
  const { description = "", homepage } = meta;
  return `${pname} ${version}: ${description}.${homepage === undefined ? "" : ` ${homepage}`}`;
}

if (process.argv[1] === import.meta.filename) {
  const check = process.argv.includes("--check");
  for (const [path, contents] of await generatePackages()) {
    const file = join(root, path);
    if (existsSync(file) && readFileSync(file, "utf8") === contents) continue;
    if (check) {
      console.error(`${path} is stale: run node --import tsx cli/dev/generate-packages.ts`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, contents);
      console.error(`${path} written`);
    }
  }
}
