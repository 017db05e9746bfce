/** What is known of an input: where the declarations of its tree lie, if any were made, and of what these are. */
export type InputTypes = { readonly name: string; readonly types: { readonly folder: string; readonly hasPackages: boolean; readonly hasOptions: boolean } | undefined };

/** The file of a project that tells the compiler which declarations its inputs have: of one without any, every name is taken. */
export function formatInputTypes(inputs: readonly InputTypes[]): string {
  const imports = inputs.map(({ types }, index) => {
    if (types === undefined) return "";
    const names = types.hasPackages ? [`Packages as Packages${index}`, ...(types.hasOptions ? [`Options as Options${index}`] : [])] : [`Options as HomeOptions${index}`];
    return `import type { ${names.join(", ")} } from ${JSON.stringify(`${types.folder}/index.d.ts`)};\n`;
  }).join("");
  const general = inputs.some(({ types }) => types?.hasPackages !== true) ? 'import type { NixValue } from "tsos";\n' : "";
  const packages = inputs.map(({ name, types }, index) => `    readonly ${JSON.stringify(name)}: ${types?.hasPackages === true ? `Packages${index}` : "{ readonly [name: string]: NixValue }"};\n`).join("");
  const hasSystem = ({ types }: InputTypes): boolean => types?.hasPackages === true && types.hasOptions;
  const nixos = choose(inputs, hasSystem, "nixpkgs");
  const home = choose(inputs, ({ types }) => types?.hasPackages === false, "homeManager");
  const pinned = [
    ...(nixos < 0 ? [] : [`  interface PinnedNixos {\n    readonly options: Options${nixos};\n    readonly packages: Packages${nixos};\n  }\n`]),
    ...(home < 0 ? [] : [`  interface PinnedHome {\n    readonly options: HomeOptions${home};\n  }\n`]),
  ];
  return `// Made by tsos from the inputs in tsos.lock.\n${general}${imports}\ndeclare module "tsos" {\n  interface Packages {\n${packages}  }\n${pinned.join("")}}\n\nexport {};\n`;
}

/** Of several, that of the usual name, else the first; -1 where there is none. */
function choose(inputs: readonly InputTypes[], isOne: (input: InputTypes) => boolean, name: string): number {
  const usual = inputs.findIndex((input) => isOne(input) && input.name === name);
  return usual >= 0 ? usual : inputs.findIndex(isOne);
}

/** The inputs that such a file knows. */
export function parseInputTypes(text: string): readonly InputTypes[] {
  const known = new Map([...text.matchAll(/^import type \{ (.*) \} from (".*");$/gm)].flatMap(([, names, file]) => {
    const index = /(?:Packages|Options)(\d+)/.exec(names!)?.[1];
    if (index === undefined) return [];
    return [[Number(index), { folder: (JSON.parse(file!) as string).replace(/\/index\.d\.ts$/, ""), hasPackages: names!.includes("Packages as"), hasOptions: names!.includes("Options as") }] as const];
  }));
  return [...text.matchAll(/^ {4}readonly (".*"): (?:Packages\d+|\{ readonly \[name: string\]: NixValue \});$/gm)].map(([, name], index) => ({ name: JSON.parse(name!) as string, types: known.get(index) }));
}
