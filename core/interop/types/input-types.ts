/** What is known of an input: where the declarations of its tree lie, if any were made, and of what these are. */
export type InputTypes = { readonly name: string; readonly types: { readonly folder: string; readonly hasPackages: boolean; readonly hasOptions: boolean } | undefined };

/**
 * Whose modules a project sets. A program reads every declaration that something leads to, used or not: those of NixOS' options
 * are twice as much as those of all packages.
 */
export type UsedModules = { readonly nixos: boolean; readonly home: boolean };

/** The file of a project that tells the compiler which declarations its inputs have: of one without any, every name is taken. */
export function formatInputTypes(inputs: readonly InputTypes[], used: UsedModules): string {
  const nixos = used.nixos ? choose(inputs, ({ types }) => types?.hasPackages === true && types.hasOptions, "nixpkgs") : -1;
  const home = used.home ? choose(inputs, ({ types }) => types?.hasPackages === false, "homeManager") : -1;
  const imports = inputs.map(({ types }, index) => {
    if (types === undefined) return "";
    const from = (name: string, file: string): string => `import type { ${name} } from ${JSON.stringify(`${types.folder}/${file}.d.ts`)};\n`;
    return `${types.hasPackages ? from(`Packages as Packages${index}`, "packages") : ""}${index === nixos || index === home ? from(`Options as Options${index}`, "options") : ""}`;
  }).join("");
  const general = inputs.some(({ types }) => types?.hasPackages !== true) ? 'import type { NixValue } from "tsos";\n' : "";
  const packages = inputs.map(({ name, types }, index) => `    readonly ${JSON.stringify(name)}: ${types?.hasPackages === true ? `Packages${index}` : "{ readonly [name: string]: NixValue }"};\n`).join("");
  const pinned = [
    ...(nixos < 0 ? [] : [`  interface PinnedNixos {\n    readonly options: Options${nixos};\n    readonly packages: Packages${nixos};\n  }\n`]),
    ...(home < 0 ? [] : [`  interface PinnedHome {\n    readonly options: Options${home};\n  }\n`]),
  ];
  return `// Made by tsos from the inputs in tsos.lock.\n// ${JSON.stringify({ inputs, used })}\n${general}${imports}\ndeclare module "tsos" {\n  interface Packages {\n${packages}  }\n${pinned.join("")}}\n\nexport {};\n`;
}

/** Of several, that of the usual name, else the first; -1 where there is none. */
function choose(inputs: readonly InputTypes[], isOne: (input: InputTypes) => boolean, name: string): number {
  const usual = inputs.findIndex((input) => isOne(input) && input.name === name);
  return usual >= 0 ? usual : inputs.findIndex(isOne);
}

/** What such a file was made of; undefined where another version made it. */
export function parseInputTypes(text: string): { readonly inputs: readonly InputTypes[]; readonly used: UsedModules } | undefined {
  const line = /^\/\/ (\{"inputs":.*\})$/m.exec(text)?.[1];
  return line === undefined ? undefined : (JSON.parse(line) as { readonly inputs: readonly InputTypes[]; readonly used: UsedModules });
}

/** What a file of TypeScript says of it. */
export function findUsedModules(text: string): UsedModules {
  return { nixos: /\b(?:defineNixosSystem|NixosModule)\b/.test(text), home: /\b(?:defineHome|HomeModule)\b/.test(text) };
}
