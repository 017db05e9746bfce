/** What is known of an input: where the declarations of its tree lie, if any were made. */
export type InputTypes = { readonly name: string; readonly types: { readonly folder: string; readonly hasOptions: boolean } | undefined };

/** The file of a project that tells the compiler which declarations its inputs have: of one without any, every name is taken. */
export function formatInputTypes(inputs: readonly InputTypes[]): string {
  const imports = inputs.map(({ types }, index) => (types === undefined ? "" : `import type { Packages as Packages${index}${types.hasOptions ? `, Options as Options${index}` : ""} } from ${JSON.stringify(`${types.folder}/index.d.ts`)};\n`)).join("");
  const general = inputs.some(({ types }) => types === undefined) ? 'import type { NixValue } from "tsos";\n' : "";
  const packages = inputs.map(({ name, types }, index) => `    readonly ${JSON.stringify(name)}: ${types === undefined ? "{ readonly [name: string]: NixValue }" : `Packages${index}`};\n`).join("");
  const hasOptions = ({ types }: InputTypes): boolean => types?.hasOptions === true;
  const system = inputs.findIndex((input) => hasOptions(input) && input.name === "nixpkgs");
  const chosen = system >= 0 ? system : inputs.findIndex(hasOptions);
  const nixos = chosen < 0 ? "" : `  interface PinnedNixos {\n    readonly options: Options${chosen};\n    readonly packages: Packages${chosen};\n  }\n`;
  return `// Made by tsos from the inputs in tsos.lock.\n${general}${imports}\ndeclare module "tsos" {\n  interface Packages {\n${packages}  }\n${nixos}}\n\nexport {};\n`;
}

/** The inputs that such a file knows. */
export function parseInputTypes(text: string): readonly InputTypes[] {
  const folders = new Map([...text.matchAll(/^import type \{ Packages as (Packages\d+)(, Options as \w+)? \} from (".*");$/gm)].map(([, type, options, file]) => [type!, { folder: (JSON.parse(file!) as string).replace(/\/index\.d\.ts$/, ""), hasOptions: options !== undefined }]));
  return [...text.matchAll(/^ {4}readonly (".*"): (Packages\d+|\{ readonly \[name: string\]: NixValue \});$/gm)].map(([, name, type]) => ({ name: JSON.parse(name!) as string, types: folders.get(type!) }));
}
